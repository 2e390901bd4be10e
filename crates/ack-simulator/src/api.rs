//! Operations of the Container Service, one file for each family.

mod cluster_body;
pub(crate) mod clusters;
mod pages;
pub(crate) mod regions;
mod task_body;
pub(crate) mod tasks;
pub(crate) mod upgrade_status;
mod upgrade_task;
