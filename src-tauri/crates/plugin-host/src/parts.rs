//! Our own JavaScript, compiled by `build.rs`.

use rquickjs::{Array, Ctx, Function, Module, Object, Result, Value};

/// Functions to be called one after the other, as bytecode.
pub struct Parts(pub &'static [u8]);

impl Parts {
    /// Calls them all with one object to share, the natives, and a number; gives what the last
    /// one returned.
    pub fn call<'js>(
        &self,
        ctx: &Ctx<'js>,
        native: &Object<'js>,
        number: usize,
    ) -> Result<Value<'js>> {
        let shared = Object::new(ctx.clone())?;
        // So that what is put there is put there, whatever others did to the prototypes.
        shared.set_prototype(None)?;
        let mut last = Value::new_undefined(ctx.clone());
        for part in self.load(ctx)?.iter::<Function>() {
            last = part?.call((shared.clone(), native.clone(), number))?;
        }
        Ok(last)
    }

    /// The one place where bytecode is loaded: our own. What others wrote comes as text.
    #[allow(unsafe_code)]
    fn load<'js>(&self, ctx: &Ctx<'js>) -> Result<Array<'js>> {
        // SAFETY: the bytes are those that this very engine wrote when the worker was built.
        let module = unsafe { Module::load(ctx.clone(), self.0)? };
        let (module, evaluated) = module.eval()?;
        evaluated.finish::<()>()?;
        module.get("default")
    }
}
