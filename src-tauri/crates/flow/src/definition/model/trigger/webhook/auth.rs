//! How a webhook knows who sent a request.

use crate::definition::wire::{At, Object, Writer, words};

/// Who may send requests to a webhook.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum WebhookAuth {
    /// Anybody who knows the path.
    #[default]
    None,
    /// Who signs the body with a secret that both sides have.
    Hmac(HmacAuth),
}

/// A signature over the body.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HmacAuth {
    pub scheme: HmacScheme,
    /// The name under which the secret is stored, never the secret itself.
    pub secret: String,
    /// The header with the signature; absent: the scheme's own.
    pub header: Option<String>,
    /// How old a request may be, for the schemes that sign its time; absent: five minutes.
    pub tolerance_seconds: Option<u32>,
}

words! {
    /// Whose way of signing it is.
    HmacScheme {
        /// SHA-256 of the body in hexadecimal.
        Plain = "plain",
        /// `X-Hub-Signature-256`.
        Github = "github",
        /// `Stripe-Signature`, over time and body.
        Stripe = "stripe",
        /// `X-Slack-Signature`, over time and body.
        Slack = "slack",
    }

    AuthType {
        None = "none",
        Hmac = "hmac",
    }
}

impl WebhookAuth {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        match object.required("type", |at| at.word()) {
            AuthType::Hmac => Self::Hmac(HmacAuth {
                scheme: object.required("scheme", |at| at.word()),
                secret: object.required("secret", read_secret_name),
                header: object.optional("header", read_header),
                tolerance_seconds: object.optional("toleranceSeconds", |at| at.integer(1..=86_400)),
            }),
            AuthType::None => {
                for name in ["scheme", "secret", "header", "toleranceSeconds"] {
                    object.refuse(name, "only auth of type hmac has it");
                }
                Self::None
            }
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        let Self::Hmac(hmac) = self else { return };
        let mut auth = Writer::default();
        auth.put("type", AuthType::Hmac);
        auth.put("scheme", hmac.scheme);
        auth.put("secret", &hmac.secret);
        auth.some("header", &hmac.header);
        auth.some("toleranceSeconds", &hmac.tolerance_seconds);
        into.put("auth", auth.into_map());
    }
}

/// Refuses what is more likely the secret itself, and does not repeat it.
fn read_secret_name(at: At<'_>) -> String {
    let name = at.line(128);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || (name.len() <= 64 && name.chars().all(plain)) {
        return name;
    }
    at.wrong_value(
        "is not the name of a secret",
        "Store the secret with `devrig secret set NAME`, and write the name here.",
    )
}

fn read_header(at: At<'_>) -> String {
    let name = at.line(100);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || name.chars().all(plain) {
        return name;
    }
    at.wrong_value("is not the name of a header", "Write one such as X-Signature.")
}
