//! Which modules a plugin can import: those of its verified package, and the SDK.

use std::collections::BTreeMap;
use std::rc::Rc;

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::{Declarations, Declared, Exports, ModuleDef};
use rquickjs::{Ctx, Error, Exception, Module, Object, Persistent, Result, Value};

use crate::stack::SourceMaps;

/// The bare name of the SDK.
pub const SDK: &str = "@devrig/sdk";

/// Named exports of the SDK, beside `default`.
const SDK_EXPORTS: &[&str] = &[
    "accountId",
    "actions",
    "activate",
    "apiVersion",
    "dataSources",
    "deactivate",
    "definePlugin",
    "desktop",
    "DevRigError",
    "events",
    "git",
    "http",
    "log",
    "notify",
    "pluginId",
    "secrets",
    "settings",
    "storage",
    "version",
];

thread_local! {
    // `ModuleDef` takes no state; the worker has one thread and one runtime.
    static SDK_OBJECT: std::cell::RefCell<Option<Persistent<Object<'static>>>> =
        const { std::cell::RefCell::new(None) };
}

/// Says what `import "@devrig/sdk"` gives.
pub fn provide_sdk<'js>(ctx: &Ctx<'js>, sdk: Object<'js>) {
    SDK_OBJECT.set(Some(Persistent::save(ctx, sdk)));
}

struct SdkModule;

impl ModuleDef for SdkModule {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        declarations.declare("default")?;
        for name in SDK_EXPORTS {
            declarations.declare(*name)?;
        }
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        let Some(sdk) = SDK_OBJECT.with_borrow(Clone::clone) else {
            return Err(Exception::throw_internal(ctx, "the SDK was imported too early"));
        };
        let sdk = sdk.restore(ctx)?;
        for name in SDK_EXPORTS {
            exports.export(*name, sdk.get::<_, Value>(*name)?)?;
        }
        exports.export("default", sdk)?;
        Ok(())
    }
}

/// The modules of one package by path. Nothing else exists, and nothing is read from disk.
pub struct Package {
    sources: BTreeMap<String, String>,
    maps: Rc<SourceMaps>,
}

pub struct PackageResolver {
    paths: std::collections::BTreeSet<String>,
}

impl Package {
    pub fn new(sources: BTreeMap<String, String>, maps: Rc<SourceMaps>) -> Self {
        Self { sources, maps }
    }

    pub fn resolver(&self) -> PackageResolver {
        PackageResolver { paths: self.sources.keys().cloned().collect() }
    }
}

impl Resolver for PackageResolver {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        importer: &str,
        specifier: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        if specifier == SDK {
            return Ok(SDK.to_owned());
        }
        resolve(importer, specifier).filter(|path| self.paths.contains(path)).ok_or_else(|| {
            let remedy = if specifier.starts_with('.') {
                "no such file is in the package; file endings are written out"
            } else {
                "plugins ship bundled: only ./ and ../ paths and \"@devrig/sdk\" can be imported"
            };
            let message = format!("Cannot import \"{specifier}\" from {importer}: {remedy}");
            Exception::throw_type(ctx, &message)
        })
    }
}

/// The path inside the package, unless the specifier is not relative or leads out of it.
fn resolve(importer: &str, specifier: &str) -> Option<String> {
    // The entry module is asked for by its own path, from nowhere.
    if importer.is_empty() {
        return Some(specifier.to_owned());
    }
    if !specifier.starts_with("./") && !specifier.starts_with("../") {
        return None;
    }
    let mut path: Vec<&str> = importer.split('/').collect();
    path.pop();
    for part in specifier.split('/') {
        match part {
            "." => {}
            ".." => _ = path.pop()?,
            part => path.push(part),
        }
    }
    Some(path.join("/"))
}

impl Loader for Package {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        path: &str,
        attributes: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        if path == SDK {
            return Module::declare_def::<SdkModule, _>(ctx.clone(), SDK);
        }
        let Some(source) = self.sources.get(path) else {
            return Err(Error::new_loading(path));
        };
        let kind = attributes.map(|attributes| attributes.get_type()).transpose()?.flatten();
        match kind.as_deref() {
            None if path.ends_with(".json") => Err(Exception::throw_type(
                ctx,
                &format!("{path} is JSON: import it with {{ type: \"json\" }}"),
            )),
            None => {
                let module = Module::declare(ctx.clone(), path, source.as_str())?;
                // The engine keeps a compiled module for good, so its text can go.
                self.maps.keep(path, source);
                self.sources.remove(path);
                Ok(module)
            }
            Some("json") => {
                // Checked first, so that the text can only be data when it is compiled.
                if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(source) {
                    return Err(Exception::throw_syntax(ctx, &format!("{path}: {error}")));
                }
                Module::declare(ctx.clone(), path, format!("export default {source};"))
            }
            Some(other) => Err(Exception::throw_type(
                ctx,
                &format!("{path}: modules of type \"{other}\" are not supported"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_relative_paths_inside_the_package_resolve() {
        let cases = [
            ("dist/index.js", "./a.js", Some("dist/a.js")),
            ("dist/index.js", "../lib/b.js", Some("lib/b.js")),
            ("dist/x/y.js", ".././../c.mjs", Some("c.mjs")),
            ("index.js", "../a.js", None),
            ("dist/index.js", "../../a.js", None),
            ("dist/index.js", "a.js", None),
            ("dist/index.js", "/etc/passwd", None),
            ("dist/index.js", "fs", None),
            ("dist/index.js", "std", None),
            ("dist/index.js", "file:///a", None),
        ];
        for (importer, specifier, wanted) in cases {
            assert_eq!(resolve(importer, specifier).as_deref(), wanted, "{importer} {specifier}");
        }
    }
}
