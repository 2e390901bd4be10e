//! A strict parser of metrics pages, written from the specifications of the formats. It shares no
//! code with the writer, and rejects more than a scraper would.

#![expect(clippy::float_cmp, reason = "states are 0 or 1 to the bit")]

use std::collections::{BTreeMap, BTreeSet};

/// The format of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// A parsed page.
#[derive(Debug)]
pub struct Exposition {
    /// In the order of the page.
    pub families: Vec<Family>,
}

/// The samples of one metric.
#[derive(Debug)]
pub struct Family {
    /// The name in HELP and TYPE.
    pub name: String,
    /// The type in TYPE.
    pub kind: String,
    /// Unescaped.
    pub help: String,
    /// In the order of the page; at least one.
    pub samples: Vec<Sample>,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The name with its suffix.
    pub name: String,
    /// Unescaped, in the order of the line.
    pub labels: Vec<(String, String)>,
    /// The number.
    pub value: f64,
}

impl Exposition {
    /// Parses `page`. The error is its first mistake.
    pub fn read(page: &[u8], dialect: Dialect) -> Result<Self, String> {
        let page = std::str::from_utf8(page).map_err(|error| error.to_string())?;
        let mut lines: Vec<&str> = page.split('\n').collect();
        if lines.pop() != Some("") {
            return Err("the last line has no end".to_owned());
        }
        if dialect == Dialect::OpenMetrics && lines.pop() != Some("# EOF") {
            return Err("the last line is not # EOF".to_owned());
        }
        let mut reader = Reader {
            dialect,
            families: Vec::new(),
            names: BTreeSet::new(),
            series: BTreeSet::new(),
        };
        let mut lines = lines.into_iter().peekable();
        while let Some(help) = lines.next() {
            let kind = lines.next().ok_or("a HELP line ends the page")?;
            reader
                .begin(help, kind)
                .map_err(|error| format!("{error}: {help} / {kind}"))?;
            let unit = lines.next_if(|line| line.starts_with("# UNIT "));
            reader
                .unit(unit)
                .map_err(|error| format!("{error}: {kind} / {unit:?}"))?;
            while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
                reader
                    .sample(line)
                    .map_err(|error| format!("{error}: {line}"))?;
            }
            reader.end()?;
        }
        Ok(Self {
            families: reader.families,
        })
    }

    /// The family called `name`.
    pub fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }

    /// Every sample called `name`.
    pub fn samples(&self, name: &str) -> impl Iterator<Item = &Sample> {
        self.families
            .iter()
            .flat_map(|family| &family.samples)
            .filter(move |sample| sample.name == name)
    }
}

impl Family {
    /// The value of `label` whose sample is 1, by the other labels. Each of `values` must have one
    /// sample, and all but one must be 0.
    pub fn active_states(
        &self,
        label: &str,
        values: &[&str],
    ) -> Result<BTreeMap<Vec<(String, String)>, String>, String> {
        let mut groups: BTreeMap<_, Vec<(String, f64)>> = BTreeMap::new();
        for sample in &self.samples {
            let (state, others): (Vec<_>, Vec<_>) = sample
                .labels
                .iter()
                .cloned()
                .partition(|(name, _)| name == label);
            let [(_, state)] = <[_; 1]>::try_from(state)
                .map_err(|_| format!("{} without {label}", sample.name))?;
            groups
                .entry(others)
                .or_default()
                .push((state, sample.value));
        }
        let mut active = BTreeMap::new();
        for (others, states) in groups {
            let names: Vec<&str> = states.iter().map(|(name, _)| name.as_str()).collect();
            let ones: Vec<&String> = states
                .iter()
                .filter(|(_, value)| *value == 1.0)
                .map(|(name, _)| name)
                .collect();
            if names != values
                || ones.len() != 1
                || states
                    .iter()
                    .any(|(_, value)| *value != 0.0 && *value != 1.0)
            {
                return Err(format!(
                    "{} of {others:?} is not a state set: {states:?}",
                    self.name
                ));
            }
            active.insert(others, ones[0].clone());
        }
        Ok(active)
    }
}

impl Sample {
    /// The value of `label`.
    pub fn label(&self, label: &str) -> Option<&str> {
        self.labels
            .iter()
            .find(|(name, _)| name == label)
            .map(|(_, value)| value.as_str())
    }
}

struct Reader {
    dialect: Dialect,
    families: Vec<Family>,
    names: BTreeSet<String>,
    series: BTreeSet<(String, Vec<(String, String)>)>,
}

impl Reader {
    fn begin(&mut self, help: &str, kind: &str) -> Result<(), String> {
        let (name, help) = help
            .strip_prefix("# HELP ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or("not a HELP line")?;
        let kind = kind
            .strip_prefix("# TYPE ")
            .and_then(|rest| rest.strip_prefix(name)?.strip_prefix(' '));
        let kind = kind.ok_or("HELP is not followed by the TYPE of the same family")?;
        let is_type = match self.dialect {
            Dialect::Text => matches!(kind, "counter" | "gauge" | "histogram"),
            Dialect::OpenMetrics => matches!(kind, "counter" | "gauge" | "histogram" | "info"),
        };
        if !is_type {
            return Err("unknown type".to_owned());
        }
        if !is_name(name, ":") {
            return Err("illegal name".to_owned());
        }
        if (kind, self.dialect) != ("counter", Dialect::Text) && name.ends_with("_total") {
            return Err("the family's name ends in _total".to_owned());
        }
        // `a` and a histogram's `a_count` are two families but one name.
        for taken in [
            name.to_owned(),
            format!("{name}_total"),
            format!("{name}_bucket"),
            format!("{name}_sum"),
            format!("{name}_count"),
            format!("{name}_info"),
        ] {
            if !self.names.insert(taken) {
                return Err("the family is there already, or another takes its names".to_owned());
            }
        }
        let help = match self.dialect {
            Dialect::Text => unescape(help, "\\n")?,
            Dialect::OpenMetrics => unescape(help, "\\n\"")?,
        };
        if help.is_empty() {
            return Err("empty HELP".to_owned());
        }
        self.families.push(Family {
            name: name.to_owned(),
            kind: kind.to_owned(),
            help,
            samples: Vec::new(),
        });
        Ok(())
    }

    /// OpenMetrics has a UNIT line for every family whose name ends in a unit, and no other.
    fn unit(&self, line: Option<&str>) -> Result<(), String> {
        let family = self.families.last().ok_or("no family")?;
        let (_, last) = family.name.rsplit_once('_').unwrap_or_default();
        let has_unit = self.dialect == Dialect::OpenMetrics && matches!(last, "seconds" | "bytes");
        let expected = has_unit.then(|| format!("# UNIT {} {last}", family.name));
        if line == expected.as_deref() {
            Ok(())
        } else {
            Err(format!("the UNIT line is not {expected:?}"))
        }
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let sample = read_sample(line, self.dialect)?;
        let family = self
            .families
            .last_mut()
            .ok_or("a sample outside a family")?;
        let suffix = sample
            .name
            .strip_prefix(&family.name)
            .ok_or("a sample of another family")?;
        let fits = match (family.kind.as_str(), self.dialect) {
            ("counter", Dialect::Text) => suffix.is_empty() && sample.name.ends_with("_total"),
            ("counter", Dialect::OpenMetrics) => suffix == "_total",
            ("info", _) => suffix == "_info" && sample.value == 1.0,
            ("histogram", _) => matches!(suffix, "_bucket" | "_sum" | "_count"),
            _ => suffix.is_empty(),
        };
        if !fits {
            return Err("the name does not fit the family's type".to_owned());
        }
        if (suffix == "_bucket") != sample.label("le").is_some() {
            return Err("le belongs to buckets and only to them".to_owned());
        }
        if family.kind != "gauge" && (sample.value < 0.0 || sample.value.is_nan()) {
            return Err("a count below 0".to_owned());
        }
        let mut labels = sample.labels.clone();
        labels.sort();
        if labels.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err("a label twice".to_owned());
        }
        if !self.series.insert((sample.name.clone(), labels)) {
            return Err("a series twice".to_owned());
        }
        family.samples.push(sample);
        Ok(())
    }

    fn end(&self) -> Result<(), String> {
        let family = self.families.last().ok_or("no family")?;
        if family.samples.is_empty() {
            return Err(format!("{} has no sample", family.name));
        }
        if family.kind == "histogram" {
            check_histogram(family, self.dialect)
        } else {
            Ok(())
        }
    }
}

fn check_histogram(family: &Family, dialect: Dialect) -> Result<(), String> {
    let mut groups: BTreeMap<Vec<_>, Vec<&Sample>> = BTreeMap::new();
    for sample in &family.samples {
        groups
            .entry(
                sample
                    .labels
                    .iter()
                    .filter(|(name, _)| name != "le")
                    .cloned()
                    .collect(),
            )
            .or_default()
            .push(sample);
    }
    for (labels, samples) in groups {
        let error = |what: &str| Err(format!("{} {labels:?}: {what}", family.name));
        let [buckets @ .., sum, count] = samples.as_slice() else {
            return error("too few samples");
        };
        if !sum.name.ends_with("_sum") || !count.name.ends_with("_count") {
            return error("not buckets, sum and count");
        }
        let mut last = (f64::NEG_INFINITY, 0.0);
        for bucket in buckets {
            let bound = bucket.label("le").ok_or("a bucket without le")?;
            let bucket = (number(bound, dialect)?, bucket.value);
            if bucket.0 <= last.0 || bucket.1 < last.1 {
                return error("the buckets do not rise");
            }
            last = bucket;
        }
        if last != (f64::INFINITY, count.value) {
            return error("the last bucket is not the count");
        }
    }
    Ok(())
}

fn read_sample(line: &str, dialect: Dialect) -> Result<Sample, String> {
    let end = line.find(['{', ' ']).ok_or("neither labels nor a value")?;
    let (name, mut rest) = line.split_at(end);
    if !is_name(name, ":") {
        return Err("illegal name".to_owned());
    }
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").ok_or("a label without a value")?;
            if !is_name(label, "") || label.starts_with("__") {
                return Err("illegal label".to_owned());
            }
            let end = closing_quote(after).ok_or("a label without an end")?;
            labels.push((label.to_owned(), unescape(&after[..end], "\\n\"")?));
            rest = &after[end + 1..];
            match rest.strip_prefix(',') {
                Some(next) => rest = next,
                None => break,
            }
        }
        rest = rest.strip_prefix('}').ok_or("labels without an end")?;
    }
    let value = rest.strip_prefix(' ').ok_or("no space before the value")?;
    Ok(Sample {
        name: name.to_owned(),
        labels,
        value: number(value, dialect)?,
    })
}

fn is_name(name: &str, also: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || also.contains(c);
    name.chars().all(legal) && name.chars().next().is_some_and(|c| !c.is_ascii_digit())
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let literal = std::mem::take(&mut escaped);
        escaped = byte == b'\\' && !literal;
        byte == b'"' && !literal
    })
}

/// Undoes the escapes in `legal`; a quotation mark that could have been escaped must have been.
fn unescape(text: &str, legal: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars
                .next()
                .filter(|c| legal.contains(*c))
                .ok_or("an illegal escape")?
            {
                'n' => plain.push('\n'),
                c => plain.push(c),
            },
            '"' if legal.contains('"') => return Err("a bare quotation mark".to_owned()),
            c => plain.push(c),
        }
    }
    Ok(plain)
}

fn number(text: &str, dialect: Dialect) -> Result<f64, String> {
    match text {
        "NaN" => return Ok(f64::NAN),
        "+Inf" => return Ok(f64::INFINITY),
        "-Inf" => return Ok(f64::NEG_INFINITY),
        _ => {}
    }
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte))
    {
        return Err(format!("{text:?} is not a number"));
    }
    if dialect == Dialect::OpenMetrics && !text.contains(['.', 'e']) {
        return Err(format!(
            "{text:?} is not a floating-point number in OpenMetrics' canonical form"
        ));
    }
    text.parse()
        .map_err(|_| format!("{text:?} is not a number"))
}

#[test]
fn the_reader_reads_what_is_right() {
    let page = "# HELP a_total x \"y\" \\\\ \\n\n# TYPE a_total counter\n\
                a_total{l=\"\\\"\\\\\\n,}\",m=\"\"} 1.5e3\n";
    let read = Exposition::read(page.as_bytes(), Dialect::Text).unwrap();
    let [family] = read.families.as_slice() else {
        panic!("{read:?}")
    };
    assert_eq!(family.help, "x \"y\" \\ \n");
    assert_eq!(family.samples[0].label("l"), Some("\"\\\n,}"));
    assert_eq!(family.samples[0].label("m"), Some(""));
    assert_eq!(family.samples[0].value, 1500.0);
}

#[test]
fn the_reader_refuses_what_is_wrong() {
    const GAUGE: &str = "# HELP a x\n# TYPE a gauge\n";
    const COUNTER: &str = "# HELP a_total x\n# TYPE a_total counter\n";
    const HISTOGRAM: &str = "# HELP a x\n# TYPE a histogram\n";
    let wrong = [
        "a 1\n".to_owned(),
        "# TYPE a gauge\na 1\n".to_owned(),
        "# HELP a x\na 1\n".to_owned(),
        "# HELP a x\n# TYPE b gauge\nb 1\n".to_owned(),
        "# HELP a x\n# TYPE a info\na 1\n".to_owned(),
        "# HELP a \\\"\n# TYPE a gauge\na 1\n".to_owned(),
        "# HELP a_total x\n# TYPE a_total gauge\na_total 1\n".to_owned(),
        GAUGE.to_owned(),
        format!("{GAUGE}a 1"),
        format!("{GAUGE}a 1\n\n"),
        format!("{GAUGE}a 1\n# EOF\n"),
        format!("{GAUGE}b 1\n"),
        format!("{GAUGE}a 1\na 1\n"),
        format!("{GAUGE}a 1\n{GAUGE}a{{l=\"\"}} 1\n"),
        format!("{GAUGE}a{{l=\"1\",m=\"2\"}} 1\na{{m=\"2\",l=\"1\"}} 1\n"),
        format!("{GAUGE}a{{l=\"1\",l=\"2\"}} 1\n"),
        format!("{GAUGE}a{{}} 1\n"),
        format!("{GAUGE}a{{l=\"1\",}} 1\n"),
        format!("{GAUGE}a{{1=\"1\"}} 1\n"),
        format!("{GAUGE}a{{l=\"\\t\"}} 1\n"),
        format!("{GAUGE}a{{l=\"x\"y\"}} 1\n"),
        format!("{GAUGE}a{{le=\"1\"}} 1\n"),
        format!("{GAUGE}a inf\n"),
        format!("{GAUGE}a 1 1700000000\n"),
        format!("{GAUGE}a  1\n"),
        format!("{COUNTER}a_total -1\n"),
        format!("{HISTOGRAM}a_bucket{{le=\"1\"}} 1\na_sum 1\na_count 1\n"),
        format!(
            "{HISTOGRAM}a_bucket{{le=\"1\"}} 2\na_bucket{{le=\"+Inf\"}} 1\na_sum 1\na_count 1\n"
        ),
        format!("{HISTOGRAM}a_bucket{{le=\"+Inf\"}} 1\na_sum 1\na_count 2\n"),
        format!(
            "{HISTOGRAM}a_bucket{{le=\"+Inf\"}} 1\na_sum 1\na_count 1\n# HELP a_count x\n\
             # TYPE a_count gauge\na_count 1\n"
        ),
    ];
    for page in wrong {
        assert!(
            Exposition::read(page.as_bytes(), Dialect::Text).is_err(),
            "{page}"
        );
    }
    for page in [
        format!("{GAUGE}a 1.0\n"),
        format!("{GAUGE}a 1\n# EOF\n"),
        format!("{COUNTER}a_total 1.0\n# EOF\n"),
        "# HELP a_info x\n# TYPE a_info info\na_info 1.0\n# EOF\n".to_owned(),
        "# HELP a x\n# TYPE a info\na_info 2.0\n# EOF\n".to_owned(),
        "# HELP a_seconds x\n# TYPE a_seconds gauge\na_seconds 1.0\n# EOF\n".to_owned(),
        "# HELP a x\n# TYPE a gauge\n# UNIT a seconds\na 1.0\n# EOF\n".to_owned(),
        "# EOF\n# EOF\n".to_owned(),
    ] {
        assert!(
            Exposition::read(page.as_bytes(), Dialect::OpenMetrics).is_err(),
            "{page}"
        );
    }
}
