//! Native parts of the web-platform basics: pure functions over text and bytes.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use rquickjs::{ArrayBuffer, Ctx, Exception, Function, Object, Result, Value};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use url::{Url, form_urlencoded, quirks};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Puts the functions on the object that only our own JavaScript sees.
pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("urlParse", Function::new(ctx.clone(), url_parse)?)?;
    native.set("urlSet", Function::new(ctx.clone(), url_set)?)?;
    native.set("formParse", Function::new(ctx.clone(), form_parse)?)?;
    native.set("formWrite", Function::new(ctx.clone(), form_write)?)?;
    native.set("utf8Encode", Function::new(ctx.clone(), utf8_encode)?)?;
    native.set("utf8Decode", Function::new(ctx.clone(), utf8_decode)?)?;
    native.set("utf8Held", Function::new(ctx.clone(), utf8_held)?)?;
    native.set("utf16Decode", Function::new(ctx.clone(), utf16_decode)?)?;
    native.set("base64Encode", Function::new(ctx.clone(), base64_encode)?)?;
    native.set("base64Decode", Function::new(ctx.clone(), base64_decode)?)?;
    native.set("random", Function::new(ctx.clone(), random)?)?;
    native.set("digest", Function::new(ctx.clone(), digest)?)?;
    native.set("hmac", Function::new(ctx.clone(), hmac)?)
}

/// The bytes of an `ArrayBuffer` from `start`, `length` many.
#[allow(unsafe_code)]
fn bytes<'a>(
    ctx: &Ctx<'_>,
    buffer: &'a ArrayBuffer<'_>,
    start: usize,
    length: usize,
) -> Result<&'a [u8]> {
    // SAFETY: no JavaScript runs while one of the functions here holds the bytes, so nothing can
    // detach, resize or write them; shared buffers do not exist in this engine.
    let all: &[u8] = unsafe { buffer.as_bytes() }
        .ok_or_else(|| Exception::throw_type(ctx, "the ArrayBuffer is detached"))?;
    start
        .checked_add(length)
        .and_then(|end| all.get(start..end))
        .ok_or_else(|| Exception::throw_range(ctx, "the view is outside its ArrayBuffer"))
}

/// Component texts in the order that `url.js` reads; `null` when the text is not a URL.
fn url_parse<'js>(ctx: Ctx<'js>, input: String, base: Option<String>) -> Result<Value<'js>> {
    let base = match base.map(|base| Url::parse(&base)) {
        Some(Err(_)) => return Ok(Value::new_null(ctx)),
        Some(Ok(base)) => Some(base),
        None => None,
    };
    match Url::options().base_url(base.as_ref()).parse(&input) {
        Ok(url) => components(&ctx, &url),
        Err(_) => Ok(Value::new_null(ctx)),
    }
}

/// A setter of the `URL` class; what it refuses leaves the URL as it was, as the standard says.
fn url_set<'js>(ctx: Ctx<'js>, href: String, part: String, value: String) -> Result<Value<'js>> {
    let Ok(mut url) = Url::parse(&href) else {
        return Ok(Value::new_null(ctx));
    };
    match part.as_str() {
        "protocol" => _ = quirks::set_protocol(&mut url, &value),
        "username" => _ = quirks::set_username(&mut url, &value),
        "password" => _ = quirks::set_password(&mut url, &value),
        "host" => _ = quirks::set_host(&mut url, &value),
        "hostname" => _ = quirks::set_hostname(&mut url, &value),
        "port" => _ = quirks::set_port(&mut url, &value),
        "pathname" => quirks::set_pathname(&mut url, &value),
        "search" => quirks::set_search(&mut url, &value),
        "hash" => quirks::set_hash(&mut url, &value),
        _ => {}
    }
    components(&ctx, &url)
}

fn components<'js>(ctx: &Ctx<'js>, url: &Url) -> Result<Value<'js>> {
    let origin = quirks::origin(url);
    let texts = [
        quirks::href(url),
        &origin,
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
    ];
    texts_to_js(ctx, &texts)
}

/// Names and values in turn.
fn form_parse<'js>(ctx: Ctx<'js>, text: String) -> Result<Value<'js>> {
    let flat: Vec<_> =
        form_urlencoded::parse(text.as_bytes()).flat_map(|(name, value)| [name, value]).collect();
    texts_to_js(&ctx, &flat)
}

/// `flat` is a JSON array of names and values in turn.
fn form_write(ctx: Ctx<'_>, flat: String) -> Result<String> {
    let flat: Vec<String> = serde_json::from_str(&flat)
        .map_err(|error| Exception::throw_type(&ctx, &error.to_string()))?;
    let mut out = form_urlencoded::Serializer::new(String::new());
    for [name, value] in flat.as_chunks().0 {
        out.append_pair(name, value);
    }
    Ok(out.finish())
}

/// Through the JSON reader, which makes fresh objects whatever a plugin did to `Array.prototype`.
fn texts_to_js<'js, T: serde::Serialize>(ctx: &Ctx<'js>, texts: &[T]) -> Result<Value<'js>> {
    let json = serde_json::to_string(texts)
        .map_err(|error| Exception::throw_internal(ctx, &error.to_string()))?;
    ctx.json_parse(json)
}

fn utf8_encode(ctx: Ctx<'_>, text: String) -> Result<ArrayBuffer<'_>> {
    ArrayBuffer::new_copy(ctx, text.as_bytes())
}

/// `null` when the bytes are not UTF-8 and `fatal` is asked for.
fn utf8_decode<'js>(
    ctx: Ctx<'js>,
    buffer: ArrayBuffer<'js>,
    start: usize,
    length: usize,
    fatal: bool,
) -> Result<Option<String>> {
    let bytes = bytes(&ctx, &buffer, start, length)?;
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.to_owned()),
        Err(_) if fatal => None,
        Err(_) => Some(String::from_utf8_lossy(bytes).into_owned()),
    })
}

/// How many bytes at the end begin a character that is not complete yet.
fn utf8_held<'js>(
    ctx: Ctx<'js>,
    buffer: ArrayBuffer<'js>,
    start: usize,
    length: usize,
) -> Result<usize> {
    let bytes = bytes(&ctx, &buffer, start, length)?;
    // A character has at most four bytes, so only the last three can be a beginning.
    for held in 1..=length.min(3) {
        let tail = &bytes[length - held..];
        if matches!(std::str::from_utf8(tail), Err(error) if error.valid_up_to() == 0 && error.error_len().is_none())
        {
            return Ok(held);
        }
    }
    Ok(0)
}

/// `null` when the bytes are not UTF-16 and `fatal` is asked for.
fn utf16_decode<'js>(
    ctx: Ctx<'js>,
    buffer: ArrayBuffer<'js>,
    start: usize,
    length: usize,
    fatal: bool,
) -> Result<Option<String>> {
    let bytes = bytes(&ctx, &buffer, start, length)?;
    let (pairs, rest) = bytes.as_chunks();
    let units: Vec<u16> = pairs.iter().map(|&pair| u16::from_le_bytes(pair)).collect();
    let text = String::from_utf16(&units).ok().filter(|_| rest.is_empty());
    Ok(match text {
        Some(text) => Some(text),
        None if fatal => None,
        None => {
            let mut text = String::from_utf16_lossy(&units);
            if !rest.is_empty() {
                text.push('\u{fffd}');
            }
            Some(text)
        }
    })
}

fn base64_encode<'js>(
    ctx: Ctx<'js>,
    buffer: ArrayBuffer<'js>,
    start: usize,
    length: usize,
) -> Result<String> {
    Ok(BASE64.encode(bytes(&ctx, &buffer, start, length)?))
}

/// Forgiving decoding as the web has it: `null` when the text is not base64.
fn base64_decode<'js>(ctx: Ctx<'js>, text: String) -> Result<Option<ArrayBuffer<'js>>> {
    let mut text: Vec<u8> =
        text.into_bytes().into_iter().filter(|byte| !b"\t\n\x0c\r ".contains(byte)).collect();
    // Padding is all or nothing.
    if text.len().is_multiple_of(4) {
        let padding = text.iter().rev().take(2).take_while(|&&byte| byte == b'=').count();
        text.truncate(text.len() - padding);
    }
    if text.contains(&b'=') {
        return Ok(None);
    }
    BASE64.decode(text).ok().map(|bytes| ArrayBuffer::new_copy(ctx, bytes)).transpose()
}

fn random(ctx: Ctx<'_>, length: usize) -> Result<ArrayBuffer<'_>> {
    let mut bytes = vec![0; length.min(65_536)];
    getrandom::fill(&mut bytes)
        .map_err(|error| Exception::throw_internal(&ctx, &error.to_string()))?;
    ArrayBuffer::new_copy(ctx, bytes)
}

fn digest<'js>(
    ctx: Ctx<'js>,
    algorithm: String,
    buffer: ArrayBuffer<'js>,
    start: usize,
    length: usize,
) -> Result<Option<ArrayBuffer<'js>>> {
    let data = bytes(&ctx, &buffer, start, length)?;
    let hash = match algorithm.as_str() {
        "SHA-1" => Sha1::digest(data).to_vec(),
        "SHA-256" => Sha256::digest(data).to_vec(),
        "SHA-384" => Sha384::digest(data).to_vec(),
        "SHA-512" => Sha512::digest(data).to_vec(),
        _ => return Ok(None),
    };
    ArrayBuffer::new_copy(ctx, hash).map(Some)
}

fn hmac<'js>(
    ctx: Ctx<'js>,
    algorithm: String,
    key: ArrayBuffer<'js>,
    buffer: ArrayBuffer<'js>,
    start: usize,
    length: usize,
) -> Result<Option<ArrayBuffer<'js>>> {
    let data = bytes(&ctx, &buffer, start, length)?;
    let key = bytes(&ctx, &key, 0, key.len())?;
    let code = match algorithm.as_str() {
        "SHA-1" => Hmac::<Sha1>::new_from_slice(key)
            .map(|mac| mac.chain_update(data).finalize().into_bytes().to_vec()),
        "SHA-256" => Hmac::<Sha256>::new_from_slice(key)
            .map(|mac| mac.chain_update(data).finalize().into_bytes().to_vec()),
        "SHA-384" => Hmac::<Sha384>::new_from_slice(key)
            .map(|mac| mac.chain_update(data).finalize().into_bytes().to_vec()),
        "SHA-512" => Hmac::<Sha512>::new_from_slice(key)
            .map(|mac| mac.chain_update(data).finalize().into_bytes().to_vec()),
        _ => return Ok(None),
    };
    let code = code.map_err(|error| Exception::throw_type(&ctx, &error.to_string()))?;
    ArrayBuffer::new_copy(ctx, code).map(Some)
}
