//! Plugins for tests: a package is written to a folder and installed like anybody's.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// A plugin to be.
#[derive(Debug, Clone)]
pub struct Package {
    pub name: String,
    pub manifest: Value,
    pub code: String,
    pub files: Vec<(String, Vec<u8>)>,
}

impl Package {
    /// A plugin with one data source `NAME.items` and one action `NAME.act`; `code` is its module.
    pub fn new(name: &str, permissions: &[&str], code: &str) -> Self {
        let manifest = json!({
            "name": format!("devrig-plugin-{name}"),
            "version": "1.0.0",
            "displayName": name,
            "description": "A plugin of the tests.",
            "author": "DevRig",
            "license": "MIT",
            "engine": ">=0.1.0",
            "main": "./index.js",
            "permissions": permissions,
            "capabilities": {
                "dataSources": [{
                    "id": format!("{name}.items"),
                    "name": "Items",
                    "description": "What the test stores.",
                    "defaultSyncIntervalMs": 3_600_000
                }],
                "actions": [{
                    "id": format!("{name}.act"),
                    "name": "Act",
                    "description": "What the test does.",
                    "idempotent": true
                }]
            }
        });
        Self {
            name: format!("devrig-plugin-{name}"),
            manifest,
            code: code.to_owned(),
            files: Vec::new(),
        }
    }

    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), content.into()));
        self
    }

    /// Writes the package below `folder` and gives its own folder.
    pub fn write(&self, folder: &Path) -> PathBuf {
        let folder = folder.join(&self.name);
        std::fs::create_dir_all(&folder).expect("a folder for the package");
        let manifest = serde_json::to_string_pretty(&self.manifest).expect("JSON");
        std::fs::write(folder.join("devrig-plugin.json"), manifest).expect("the manifest");
        std::fs::write(folder.join("index.js"), &self.code).expect("the module");
        for (path, content) in &self.files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, content).expect("a file");
        }
        folder
    }
}
