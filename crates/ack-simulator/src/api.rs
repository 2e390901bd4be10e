//! Operations of the Container Service, one file for each family.

pub(crate) mod clusters;
pub(crate) mod regions;
pub(crate) mod tasks;
pub(crate) mod upgrade_status;
