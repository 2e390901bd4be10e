//! Checks of the documents: against the code, and the Chinese ones against the English ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ack_client::Reason;
use ack_client::{ClusterState, NodePoolState, Status, Step, TaskStatus};
use ack_upgrade_exporter::cli::Cli;
use ack_upgrade_exporter::config::Config;
use ack_upgrade_exporter::metrics::catalog;
use ack_upgrade_exporter::upgrade::StateSet;
use clap::{Command, CommandFactory as _};
use exporter_toolkit::exposition::{Format, Metric};
use serde_json::Value;

use markdown::Document;

#[path = "support/markdown.rs"]
#[expect(
    unreachable_pub,
    reason = "other test binaries have it as a module, too"
)]
mod markdown;
#[path = "documents/references.rs"]
mod references;

const BEGIN: &str = "<!-- metrics: written by `UPDATE=1 cargo test --test documents` -->\n";
const END: &str = "<!-- /metrics -->";

const ENGLISH: &str = "README.md";
const CHINESE: &str = "README.zh-CN.md";
const READMES: [&str; 2] = [ENGLISH, CHINESE];

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn table(head: &str, meaning: impl Fn(&Metric) -> String) -> String {
    let mut table = format!("| {head} |\n|---|---|---|---|\n");
    for metric in catalog::all() {
        let (name, kind, labels) = (
            metric.name,
            metric.kind.word(Format::Text),
            metric.labels.join(", "),
        );
        writeln!(
            table,
            "| `{name}` | {kind} | {labels} | {} |",
            meaning(metric)
        )
        .expect("a String takes every write");
    }
    table
}

/// The text of a README before, in and after its table of metrics.
fn around_table(readme: &str) -> (&str, &str, &str) {
    let (before, rest) = readme
        .split_once(BEGIN)
        .expect("the beginning of the table");
    let (written, after) = rest.split_once(END).expect("the end of the table");
    (before, written, after)
}

fn compare_or_update(file: &str, expected: &str) {
    let readme = read(file);
    let (before, written, after) = around_table(&readme);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file, format!("{before}{BEGIN}{expected}{END}{after}"))
            .expect("writes the table");
    } else {
        assert_eq!(written, expected, "UPDATE=1 cargo test --test documents");
    }
}

fn help(metric: &Metric) -> String {
    metric.help.replace('|', "\\|")
}

#[test]
fn the_readme_lists_every_metric_as_the_catalogue_has_it() {
    compare_or_update(ENGLISH, &table("metric | type | labels | meaning", help));
}

/// The meanings are written by hand. That of a new metric is the English one until it is
/// translated.
#[test]
fn the_chinese_readme_lists_every_metric_in_chinese() {
    let readme = read(CHINESE);
    let (_, written, _) = around_table(&readme);
    let known: BTreeMap<&str, &str> = written
        .lines()
        .filter_map(|row| Some((name(row), row.strip_suffix(" |")?.rsplit_once(" | ")?.1)))
        .collect();
    let meaning = |metric: &Metric| {
        known
            .get(metric.name)
            .map_or_else(|| help(metric), |meaning| (*meaning).to_owned())
    };
    compare_or_update(CHINESE, &table("指标 | 类型 | 标签 | 含义", meaning));
    let english: Vec<_> = catalog::all()
        .filter(|metric| !meaning(metric).chars().any(is_chinese))
        .map(|metric| metric.name)
        .collect();
    assert!(
        english.is_empty(),
        "to be translated in {CHINESE}: {english:?}"
    );
}

/// The name at the beginning of a table's row.
fn name(row: &str) -> &str {
    row.strip_prefix("| `")
        .and_then(|rest| rest.split('`').next())
        .unwrap_or_default()
}

fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

#[test]
fn the_readmes_list_every_value_of_the_state_sets() {
    let row = |name: &str, values: &[&str]| format!("{name} | `{}` |", values.join("` `"));
    for readme in READMES.map(read) {
        for (name, values) in [
            ("cs_upgrade_status", values::<Status>()),
            ("cs_upgrade_step", values::<Step>()),
            ("cs_upgrade_task_status", values::<TaskStatus>()),
            ("cs_cluster_state", values::<ClusterState>()),
            ("cs_node_pool_state", values::<NodePoolState>()),
            ("cs_node_pool_upgrade_status", values::<Status>()),
        ] {
            let row = row(&format!("| `{name}`"), &values);
            assert!(readme.contains(&row), "{row}");
        }
        assert!(
            readme.contains(&row(
                "`reason`",
                &Reason::ALL
                    .iter()
                    .map(|reason| reason.as_str())
                    .collect::<Vec<_>>()
            ))
        );
    }
}

fn values<T: StateSet>() -> Vec<&'static str> {
    T::ALL.iter().map(|value| value.as_str()).collect()
}

#[test]
fn both_languages_have_the_same_sections_code_and_links() {
    for [english, chinese] in pairs() {
        let [one, other] = [&english, &chinese].map(|file| {
            // Each links to the other, and to the documents of its own language.
            read(file)
                .replace(CHINESE, ENGLISH)
                .replace(".zh-CN.md", ".md")
        });
        let [one, other] = [&one, &other].map(|text| Document::parse(text));
        assert_eq!(headings(&one), headings(&other), "{english}");
        assert_eq!(one.code(), other.code(), "{english}");
        // Anchors are made of the headings.
        let targets = |document: &Document<'_>| -> BTreeSet<String> {
            let links = document.links().into_iter();
            links.map(|link| file_of(link).to_owned()).collect()
        };
        assert_eq!(targets(&one), targets(&other), "{english}");
        let anchors = |document: &Document<'_>| {
            let links = document.links().into_iter();
            links.filter(|link| link.starts_with('#')).count()
        };
        assert_eq!(anchors(&one), anchors(&other), "{english}");
        let (spans, others) = (one.spans(), other.spans());
        assert_eq!(
            spans.symmetric_difference(&others).collect::<Vec<_>>(),
            Vec::<&&str>::new(),
            "code in one of {english} and {chinese} only"
        );
    }
}

/// The documents for users, in English and in Chinese.
fn pairs() -> Vec<[String; 2]> {
    let mut pairs = vec![READMES.map(str::to_owned)];
    for entry in fs::read_dir("docs").expect("the documents") {
        let english = entry.expect("a document").path().display().to_string();
        if let Some(name) = english.strip_suffix(".md")
            && !english.ends_with(".zh-CN.md")
        {
            let chinese = format!("{name}.zh-CN.md");
            pairs.push([english, chinese]);
        }
    }
    pairs
}

/// The documents for users in both languages, each as one text.
fn manuals() -> [String; 2] {
    let pairs = pairs();
    [0, 1].map(|language| pairs.iter().map(|pair| read(&pair[language])).collect())
}

fn headings(document: &Document<'_>) -> Vec<usize> {
    let prose = document.prose.iter();
    prose
        .map(|line| line.bytes().take_while(|byte| *byte == b'#').count())
        .filter(|level| *level > 0)
        .collect()
}

#[test]
fn the_readmes_have_exactly_two_setup_commands() {
    const TOOLS: [&str; 10] = [
        "cargo",
        "tests/run",
        "docker",
        "helm",
        "kubectl",
        "apt",
        "apt-get",
        "pip",
        "npm",
        "make",
    ];
    for readme in READMES.map(read) {
        let commands: Vec<&str> = Document::parse(&readme)
            .code()
            .into_iter()
            .map(str::trim)
            .filter(|line| TOOLS.contains(&line.split(' ').next().unwrap_or_default()))
            .collect();
        assert_eq!(commands, ["cargo run --release -- demo", "tests/run"]);
    }
}

#[test]
fn the_readmes_name_every_key_of_the_configuration() {
    let schema: Value = serde_json::from_str(&read("deploy/config.schema.json")).expect("JSON");
    let mut keys = BTreeSet::new();
    collect_keys(&schema, &mut keys);
    assert!(keys.len() > 40, "{keys:?}");
    for readme in manuals() {
        let document = Document::parse(&readme);
        let (spans, code) = (document.spans(), document.code());
        let missing: Vec<_> = keys
            .iter()
            .filter(|key| {
                !spans.contains(key.as_str()) && !code.iter().any(|line| has_key(line, key))
            })
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

fn collect_keys(node: &Value, keys: &mut BTreeSet<String>) {
    if let Some(Value::Object(properties)) = node.get("properties") {
        keys.extend(properties.keys().cloned());
    }
    match node {
        Value::Object(map) => map.values().for_each(|value| collect_keys(value, keys)),
        Value::Array(list) => list.iter().for_each(|value| collect_keys(value, keys)),
        _ => {}
    }
}

fn has_key(line: &str, key: &str) -> bool {
    line.split([' ', '{', '-'])
        .any(|word| word.strip_suffix(':') == Some(key))
}

#[test]
fn the_configurations_in_the_readmes_are_valid_and_show_the_defaults() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(
        "tests/data/web-config/pki/client-ca.crt",
        folder.path().join("private-ca.pem"),
    )
    .expect("an authority");
    let parse = |text: &str| {
        Config::parse(text, folder.path()).unwrap_or_else(|problems| panic!("{problems}"))
    };
    let least = "accounts: [{name: prod, discovery: {regions: [cn-hangzhou]}, \
                 clusters: [{id: c106f377e16f34eb1808d6b9362c9abcd, region: cn-hangzhou}]}]";
    let defaults = tree(&parse(least).to_yaml());
    for readme in READMES.map(read) {
        let blocks = Document::parse(&readme).in_language("yaml");
        let [short, _scrape, _rules, whole] = &blocks[..] else {
            panic!("{} blocks", blocks.len())
        };
        parse(short);
        parse(whole);
        let whole = tree(whole);
        for (path, value) in flat(&defaults) {
            let written = whole
                .pointer(&path)
                .unwrap_or_else(|| panic!("{path} is missing"));
            // 20.0 is shown for what people write as 20.
            assert!(
                *written == value || value.is_f64() && written.as_f64() == value.as_f64(),
                "{path}: {written} in place of {value}"
            );
        }
    }
}

fn tree(yaml: &str) -> Value {
    yaml_serde::from_str(yaml).expect("YAML")
}

/// The scalars of a tree by their paths.
fn flat(node: &Value) -> BTreeMap<String, Value> {
    let nested = |(key, value): (String, &Value)| {
        flat(value)
            .into_iter()
            .map(move |(rest, value)| (format!("/{key}{rest}"), value))
    };
    match node {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .flat_map(nested)
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .flat_map(nested)
            .collect(),
        scalar => BTreeMap::from([(String::new(), scalar.clone())]),
    }
}

#[test]
fn the_readmes_name_every_flag_of_serving_and_none_that_does_not_exist() {
    let command = Cli::command();
    let (serving, all) = (flags(&command), all_flags());
    for readme in manuals() {
        let words = readme.split(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c)));
        let named: BTreeSet<&str> = words
            .filter_map(|word| word.strip_prefix("--"))
            .map(|flag| flag.trim_end_matches('.'))
            .collect();
        let missing: Vec<_> = serving
            .iter()
            .filter(|flag| !named.contains(flag.as_str()))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        // Flags of other programs: cargo's, amtool's, and those that every program has.
        let foreign = [
            "release", "bench", "duration", "comment", "test", "help", "version", "path", "", "-",
        ];
        let unknown: Vec<_> = named
            .iter()
            .filter(|flag| !all.contains(**flag) && !foreign.contains(flag))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

/// The flags of serving and of every subcommand.
fn all_flags() -> BTreeSet<String> {
    let command = Cli::command();
    let subcommands = command.get_subcommands().flat_map(flags);
    subcommands.chain(flags(&command)).collect()
}

fn flags(command: &Command) -> BTreeSet<String> {
    command
        .get_arguments()
        .filter_map(|argument| argument.get_long())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_readmes_count_the_alerts() {
    let alerts = read("deploy/prometheus/alerts.yml")
        .matches("- alert: ")
        .count();
    assert!(read(ENGLISH).contains(&format!("[{alerts} alerts]")));
    assert!(read(CHINESE).contains(&format!("[{alerts} 条告警]")));
}

/// The part of a link before its anchor.
fn file_of(link: &str) -> &str {
    link.split('#').next().unwrap_or_default()
}

#[test]
fn every_link_between_the_documents_has_a_target() {
    for document in markdown::documents() {
        let folder = Path::new(&document).parent().unwrap_or(Path::new(""));
        let text = read(&document);
        for link in Document::parse(&text)
            .links()
            .into_iter()
            .filter(|link| !link.contains("://"))
        {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = match file {
                "" => PathBuf::from(&document),
                file => folder.join(file),
            };
            assert!(path.exists(), "{document}: {link}");
            assert!(
                anchor.is_empty() || anchors(&read(&path)).contains(anchor),
                "{document}: {link}"
            );
        }
    }
}

/// The anchors of the headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = Document::parse(text)
        .prose
        .into_iter()
        .filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let title = heading.trim_start_matches('#').trim().to_lowercase();
        title
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn the_table_of_contents_has_every_section() {
    for readme in READMES {
        let text = read(readme);
        let linked: BTreeSet<_> = Document::parse(&text)
            .links()
            .into_iter()
            .filter_map(|link| link.strip_prefix('#').map(str::to_owned))
            .collect();
        let sections: String = Document::parse(&text)
            .prose
            .into_iter()
            .filter(|line| line.starts_with("## "))
            .flat_map(|line| [line, "\n"])
            .collect();
        assert_eq!(linked, anchors(&sections), "{readme}");
    }
}

#[test]
fn the_files_of_a_release_are_named_by_the_version_of_the_program() {
    for document in [ENGLISH, CHINESE, "deploy/README.md"] {
        let text = read(document);
        let versions: BTreeSet<_> = ["ack-upgrade-exporter-", "ack-upgrade-exporter_"]
            .into_iter()
            .flat_map(|name| text.split(name).skip(1))
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            .map(|rest| rest.split(['-', '_', 't']).next().unwrap_or_default())
            .map(|version| version.trim_end_matches('.'))
            .collect();
        assert_eq!(
            versions,
            BTreeSet::from([env!("CARGO_PKG_VERSION")]),
            "{document}"
        );
    }
}

#[test]
fn the_chinese_texts_have_one_word_for_one_thing() {
    let mut documents = markdown::documents();
    documents.retain(|path| path.contains("zh-CN"));
    let texts = [
        "src/web/status_page/messages.rs",
        "deploy/mixin/texts.libsonnet",
        "deploy/mixin/cluster_text.libsonnet",
    ];
    for chinese in documents.iter().map(String::as_str).chain(texts) {
        let text = read(chinese);
        for (word, better) in [
            ("仪表盘", "大盘"),
            ("预检查", "前置检查"),
            ("导出器", "Exporter"),
            ("应答", "响应"),
            ("没有响应", "无响应"),
            ("未响应", "无响应"),
            ("监视", "监控"),
            ("凭据", "凭证"),
            ("答给", "返回"),
        ] {
            assert!(!text.contains(word), "{chinese}: {word}, better {better}");
        }
    }
}

#[test]
fn a_module_uses_only_modules_above_it_in_the_table_of_the_crate() {
    let library = read("src/lib.rs");
    let rows: Vec<Vec<&str>> = library
        .lines()
        .filter_map(|line| line.strip_prefix("//! | ")?.split('|').next())
        .map(|modules| modules.split('`').skip(1).step_by(2).collect())
        .collect();
    let place = |module: &str| {
        rows.iter()
            .position(|row| row.contains(&module))
            .unwrap_or_else(|| panic!("{module} is not in the table"))
    };
    let declared: Vec<&str> = library
        .lines()
        .map(|line| line.strip_prefix("pub ").unwrap_or(line))
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    for module in declared {
        for file in sources(Path::new("src"), module) {
            let text = read(&file);
            let (text, _tests) = text
                .split_once("#[cfg(test)]\nmod tests {")
                .unwrap_or((&text, ""));
            for used in text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .flat_map(|line| line.split("crate::").skip(1))
            {
                let used = used
                    .split(|c: char| !(c.is_ascii_lowercase() || c == '_'))
                    .next()
                    .unwrap_or_default();
                if used.is_empty() {
                    // An item of the crate itself, such as `USER_AGENT`.
                    continue;
                }
                assert!(
                    place(used) <= place(module),
                    "{} uses {used}",
                    file.display()
                );
            }
        }
    }
}

/// The files of a module, tests apart.
fn sources(src: &Path, module: &str) -> Vec<PathBuf> {
    let mut files = vec![src.join(format!("{module}.rs"))];
    let mut folders = vec![src.join(module)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            match (
                path.is_dir(),
                path.file_name().and_then(|name| name.to_str()),
            ) {
                (_, Some("tests" | "tests.rs" | "fixture.rs")) => {}
                (true, _) => folders.push(path),
                (false, _) => files.push(path),
            }
        }
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files
}
