//! Actions with digests and encodings.

mod algorithm;
mod base64;
mod bytes;
mod hash;
mod hmac;
mod uuid;

use devrig_core::Result;

use super::compute::add;
use crate::action::Actions;

pub(super) fn add_all(actions: &mut Actions) -> Result<()> {
    add::<hash::Hash>(actions)?;
    add::<hmac::Hmac>(actions)?;
    add::<base64::Base64>(actions)?;
    add::<uuid::Uuid>(actions)
}
