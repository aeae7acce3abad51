//! Taking secrets out of what comes back: a server that echoes a header must not tell the plugin
//! its value.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use devrig_core::Sensitive;
use memchr::memmem;

/// Shorter values cannot be told from ordinary text.
pub(crate) const SHORTEST: usize = 4;

/// The spellings of the values that were given out, longest first.
#[derive(Debug, Default, Clone)]
pub(crate) struct Scrub {
    forms: Vec<(Sensitive<Vec<u8>>, String)>,
}

impl Scrub {
    /// Takes out a value, and puts `placeholder` in its place.
    pub fn add(&mut self, value: &str, placeholder: &str) {
        for form in forms(value) {
            let known = self.forms.iter().any(|(known, _)| *known.expose() == form);
            if !known && form.len() >= SHORTEST {
                self.forms.push((Sensitive::new(form), placeholder.to_owned()));
            }
        }
        self.forms.sort_by_key(|(form, _)| std::cmp::Reverse(form.expose().len()));
    }

    /// Takes out what `other` does, too.
    pub fn merge(&mut self, other: &Self) {
        for (form, placeholder) in &other.forms {
            if !self.forms.iter().any(|(known, _)| known.expose() == form.expose()) {
                self.forms.push((form.clone(), placeholder.clone()));
            }
        }
        self.forms.sort_by_key(|(form, _)| std::cmp::Reverse(form.expose().len()));
    }

    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// The bytes without the values.
    pub fn bytes(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut clean: Option<Vec<u8>> = None;
        for (form, placeholder) in &self.forms {
            let present = clean.as_deref().unwrap_or(bytes);
            if let Some(replaced) = replace(present, form.expose(), placeholder.as_bytes()) {
                clean = Some(replaced);
            }
        }
        clean
    }

    /// The text without the values.
    pub fn text(&self, text: &str) -> String {
        match self.bytes(text.as_bytes()) {
            Some(clean) => String::from_utf8_lossy(&clean).into_owned(),
            None => text.to_owned(),
        }
    }

    /// As [`Scrub::text`], whatever the case: hosts are written in lower case.
    pub fn any_case(&self, text: &str) -> String {
        let lower = text.to_ascii_lowercase();
        let hit =
            |form: &[u8]| memmem::find(lower.as_bytes(), &form.to_ascii_lowercase()).is_some();
        if self.forms.iter().any(|(form, _)| hit(form.expose())) {
            return "(left out: it repeats a secret)".to_owned();
        }
        text.to_owned()
    }
}

fn replace(bytes: &[u8], form: &[u8], with: &[u8]) -> Option<Vec<u8>> {
    let mut found = memmem::find_iter(bytes, form).peekable();
    found.peek()?;
    let mut clean = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for start in found {
        clean.extend_from_slice(&bytes[at..start]);
        clean.extend_from_slice(with);
        at = start + form.len();
    }
    clean.extend_from_slice(&bytes[at..]);
    Some(clean)
}

/// The ways in which servers repeat a value.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let bytes = value.as_bytes();
    let mut forms = vec![
        bytes.to_vec(),
        STANDARD.encode(bytes).into_bytes(),
        STANDARD_NO_PAD.encode(bytes).into_bytes(),
        URL_SAFE.encode(bytes).into_bytes(),
        URL_SAFE_NO_PAD.encode(bytes).into_bytes(),
        percent(bytes, true),
        percent(bytes, false),
        hex(bytes),
        hex(bytes).to_ascii_uppercase(),
    ];
    if let Ok(json) = serde_json::to_string(value) {
        forms.push(json.as_bytes()[1..json.len() - 1].to_vec());
        forms.push(json[1..json.len() - 1].replace('/', "\\/").into_bytes());
    }
    // Base64 of something that holds the value: what stays the same wherever it begins.
    for skip in 1..3_usize {
        let mut shifted = vec![0; skip];
        shifted.extend_from_slice(bytes);
        let whole = shifted.len() / 3 * 3;
        for encoded in
            [STANDARD_NO_PAD.encode(&shifted[..whole]), URL_SAFE_NO_PAD.encode(&shifted[..whole])]
        {
            let core = encoded.as_bytes().get(4..).unwrap_or_default();
            if core.len() >= 8 {
                forms.push(core.to_vec());
            }
        }
    }
    let whole = &bytes[..bytes.len() / 3 * 3];
    if whole.len() >= 6 {
        forms.push(STANDARD_NO_PAD.encode(whole).into_bytes());
        forms.push(URL_SAFE_NO_PAD.encode(whole).into_bytes());
    }
    forms
}

/// As URLs write it; `strict` leaves letters, digits and `-._~` only.
fn percent(bytes: &[u8], strict: bool) -> Vec<u8> {
    let mut text = Vec::new();
    for &byte in bytes {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        match byte {
            _ if plain => text.push(byte),
            b' ' if !strict => text.push(b'+'),
            b'!' | b'*' | b'\'' | b'(' | b')' if !strict => text.push(byte),
            _ => text.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    text
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "gh/p_s3cr\"t+value 42";

    fn scrub() -> Scrub {
        let mut scrub = Scrub::default();
        scrub.add(VALUE, "PLACEHOLDER");
        scrub
    }

    #[test]
    fn echoes_are_taken_out_in_every_spelling() {
        let scrub = scrub();
        for echo in [
            VALUE.to_owned(),
            serde_json::json!({ "authorization": format!("Bearer {VALUE}") }).to_string(),
            STANDARD.encode(VALUE),
            URL_SAFE_NO_PAD.encode(VALUE),
            format!("x={}", String::from_utf8(percent(VALUE.as_bytes(), true)).unwrap()),
            format!("x={}", String::from_utf8(percent(VALUE.as_bytes(), false)).unwrap()),
            String::from_utf8(hex(VALUE.as_bytes())).unwrap(),
        ] {
            let clean = scrub.text(&format!("before {echo} after"));
            assert!(clean.contains("PLACEHOLDER"), "{echo}: {clean}");
            assert!(clean.starts_with("before ") && clean.ends_with(" after"), "{clean}");
            assert!(!clean.contains(&echo));
        }
    }

    #[test]
    fn base64_of_what_holds_the_value_tells_nothing() {
        let scrub = scrub();
        for before in ["", "a", "me:", "user:", "Bearer "] {
            let encoded = STANDARD.encode(format!("{before}{VALUE}tail"));
            let clean = scrub.text(&encoded);
            assert!(clean.contains("PLACEHOLDER"), "{before:?}: {clean}");
            let left: String = clean.replace("PLACEHOLDER", "");
            assert!(left.len() < encoded.len() - 18, "{before:?}: {left}");
        }
    }

    #[test]
    fn other_bytes_stay_as_they_are() {
        assert_eq!(scrub().bytes(&[0xff, 0, b'a']), None);
        assert_eq!(scrub().text("nothing here"), "nothing here");
        assert!(
            scrub().any_case(&format!("host {}.evil.test", VALUE.to_lowercase())).starts_with('(')
        );
        assert_eq!(scrub().any_case("fine"), "fine");
    }
}
