//! The parts of a document in Markdown.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The paths of all documents of the repository, those of the crates and of `deploy` included.
pub fn documents() -> Vec<String> {
    let mut documents = Vec::new();
    let mut folders = vec![PathBuf::from(".")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && is_ours(&path) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                documents.push(path.display().to_string());
            }
        }
    }
    assert!(documents.len() > 40, "{documents:?}");
    documents
}

/// Documents that describe the present state, by their paths. The changelog names what is gone,
/// too, and advisories are others' words.
pub fn present_documents() -> Vec<(String, String)> {
    let mut present = Vec::new();
    for path in documents() {
        if !path.ends_with("CHANGELOG.md") && !path.contains("/advisories/") {
            let text = fs::read_to_string(&path).expect("a document");
            present.push((path, text));
        }
    }
    present
}

/// Returns false for a folder of what is built or installed, such as a virtual environment of Python.
fn is_ours(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default();
    let is_made = ["target", "dist", "node_modules", "vendor"].contains(&name);
    !name.starts_with('.') && !is_made && !folder.join("pyvenv.cfg").exists()
}

/// A document, taken apart.
pub struct Document<'a> {
    /// The lines outside fenced blocks, comments apart.
    pub prose: Vec<&'a str>,
    pub blocks: Vec<Block<'a>>,
}

/// A fenced block.
pub struct Block<'a> {
    pub language: &'a str,
    pub lines: Vec<&'a str>,
}

impl Block<'_> {
    /// The lines as one text.
    pub fn text(&self) -> String {
        let lines = self.lines.iter().flat_map(|line| [line, "\n"]);
        lines.collect()
    }
}

impl<'a> Document<'a> {
    pub fn parse(text: &'a str) -> Self {
        let (mut prose, mut blocks) = (Vec::new(), Vec::new());
        let mut open: Option<Block<'_>> = None;
        for line in text.lines() {
            let fence = line.trim_start().strip_prefix("```");
            match (fence, &mut open) {
                (Some(language), None) => {
                    let lines = Vec::new();
                    open = Some(Block { language, lines });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => block.lines.push(line),
                (None, None) if line.starts_with("<!--") => {}
                (None, None) => prose.push(line),
            }
        }
        assert!(open.is_none(), "a block has no end");
        Self { prose, blocks }
    }

    /// The texts of the blocks in this language.
    pub fn in_language(&self, language: &str) -> Vec<String> {
        let blocks = self.blocks.iter();
        let blocks = blocks.filter(|block| block.language == language);
        blocks.map(Block::text).collect()
    }

    /// The lines of indented blocks.
    pub fn indented(&self) -> impl Iterator<Item = &'a str> {
        let lines = self.prose.iter().copied();
        lines.filter(|line| line.starts_with("    "))
    }

    /// Every line of code, fenced or indented, without its comment.
    pub fn code(&self) -> Vec<&'a str> {
        let fenced = self.blocks.iter().flat_map(|block| &block.lines).copied();
        fenced
            .chain(self.indented())
            .map(|line| line.split(" # ").next().unwrap_or_default().trim_end())
            .collect()
    }

    /// The targets of links and pictures.
    pub fn links(&self) -> BTreeSet<&'a str> {
        let prose = self.prose.iter();
        prose
            .flat_map(|line| line.split("](").skip(1))
            .filter_map(|rest| rest.split(')').next())
            .collect()
    }

    /// The code in the text: names of metrics, flags, keys.
    pub fn spans(&self) -> BTreeSet<&'a str> {
        let prose = self.prose.iter();
        prose
            .filter(|line| !line.starts_with("    "))
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .collect()
    }
}
