//! Reading goes on after a mistake.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::yaml::document;
use crate::yaml::{Path, Problems};

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SampleFile {
    limits: SampleLimits,
    servers: Vec<SampleServer>,
    labels: BTreeMap<String, String>,
    mode: Mode,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SampleLimits {
    requests: u32,
    burst: u32,
}

impl Default for SampleLimits {
    fn default() -> Self {
        Self {
            requests: 20,
            burst: 40,
        }
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleServer {
    name: String,
    port: u32,
    region: Option<String>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Fast,
    Safe,
}

fn read(text: &str) -> (SampleFile, Vec<String>) {
    let mut problems = Problems::default();
    let file = document::read(text, &mut problems);
    (file, problems.iter().map(ToString::to_string).collect())
}

#[test]
fn a_good_file_is_read_and_null_counts_as_absent() {
    let (file, problems) = read(
        "limits: {burst: 5}\nmode: safe\nservers: [{name: a, port: 1, region: null}]\n\
         labels: null\n",
    );
    assert_eq!(problems, [""; 0]);
    let server = SampleServer {
        name: "a".to_owned(),
        port: 1,
        region: None,
    };
    assert_eq!(
        file,
        SampleFile {
            limits: SampleLimits {
                requests: 20,
                burst: 5
            },
            servers: vec![server],
            labels: BTreeMap::new(),
            mode: Mode::Safe,
        }
    );
}

#[test]
fn every_mistake_is_found_and_the_rest_is_read() {
    let (file, problems) = read(
        "limits: {requests: x, burst: 5}\nmode: slow\nlabels: {team: 7, env: prod}\n\
         servers:\n- {name: a}\n- 7\n- {name: c, port: 3, prot: 4}\n- {name: d, port: 4}\n",
    );
    let mut expected = [
        "limits.requests: must be a whole number from 1 to 4294967295",
        "mode: must be fast or safe",
        "labels.team: must be text; put it in quotes",
        "servers[0].port: is missing",
        "servers[1]: must be a mapping, such as {key: value}",
        "servers[2].prot: unknown key, did you mean port?",
    ];
    let mut problems = problems;
    problems.sort();
    expected.sort_unstable();
    assert_eq!(problems, expected);
    assert_eq!((file.limits.requests, file.limits.burst), (20, 5));
    assert_eq!(file.labels["env"], "prod");
    assert_eq!(file.servers.len(), 4, "items keep their numbers");
    assert_eq!(file.servers[3].name, "d");
}

#[test]
fn a_list_is_no_mapping_and_no_value_is_quoted() {
    let (_, problems) = read("limits: [hunter2]\nservers: hunter2\n");
    assert_eq!(
        problems,
        [
            "limits: must be a mapping, such as {key: value}",
            "servers: must be a list, such as [a, b]"
        ]
    );
}

#[test]
fn a_mistake_takes_the_place_of_those_inside() {
    let (limits, mut problems) = (Path::root().key("limits"), Problems::default());
    problems.note(limits.key("burst"), "is wrong");
    problems.note(Path::root().key("mode"), "is wrong");
    assert_eq!(problems.keys_in(&limits).collect::<Vec<_>>(), ["burst"]);
    problems.replace(limits.clone(), "unknown key");
    assert!(problems.has(&limits) && !problems.has(&limits.key("burst")));
    assert_eq!(problems.to_string(), "mode: is wrong\nlimits: unknown key");
}
