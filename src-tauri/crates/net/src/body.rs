//! Reading a response within its limits, whatever it claims to be.

use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::{BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder};
use bytes::{Bytes, BytesMut};
use devrig_core::{Code, Error, Result};
use futures::TryStreamExt;
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio_util::io::StreamReader;

type Reader = Pin<Box<dyn AsyncBufRead + Send>>;

/// A chain of encodings longer than this is an attack.
const MAX_ENCODINGS: usize = 2;

/// Reads and decodes the body, and stops at `cap` bytes of what comes out, however little went in.
pub(crate) async fn read(body: Incoming, headers: &HeaderMap, cap: usize) -> Result<Bytes> {
    let stream = body.into_data_stream().map_err(io::Error::other);
    let mut reader: Reader = Box::pin(StreamReader::new(stream));
    for encoding in encodings(headers)?.into_iter().rev() {
        reader = decode(encoding, reader).await?;
    }
    let mut bytes = BytesMut::new();
    let mut limited = reader.take(cap as u64 + 1);
    loop {
        match limited.read_buf(&mut bytes).await {
            Ok(0) => return Ok(bytes.freeze()),
            Ok(_) if bytes.len() > cap => return Err(too_large(cap)),
            Ok(_) => {}
            Err(error) => return Err(broken(&error)),
        }
    }
}

/// Fails early when the length that is announced is over the cap already.
pub(crate) fn check_length(headers: &HeaderMap, cap: usize) -> Result<()> {
    let announced = headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match announced {
        Some(length) if length > cap as u64 => Err(too_large(cap)),
        _ => Ok(()),
    }
}

#[derive(Debug, Clone, Copy)]
enum Encoding {
    Gzip,
    Deflate,
    Brotli,
}

fn encodings(headers: &HeaderMap) -> Result<Vec<Encoding>> {
    let mut found = Vec::new();
    for value in headers.get_all(http::header::CONTENT_ENCODING) {
        let text = value.to_str().unwrap_or("?");
        for name in text.split(',').map(|name| name.trim().to_ascii_lowercase()) {
            match name.as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" => found.push(Encoding::Gzip),
                "deflate" => found.push(Encoding::Deflate),
                "br" => found.push(Encoding::Brotli),
                _ => {
                    return Err(Error::new(Code::Http, "the response has an unknown encoding"));
                }
            }
        }
    }
    if found.len() > MAX_ENCODINGS {
        return Err(Error::new(Code::Http, "the response is encoded too many times over"));
    }
    Ok(found)
}

async fn decode(encoding: Encoding, mut reader: Reader) -> Result<Reader> {
    fn buffered(inner: impl AsyncRead + Send + 'static) -> Reader {
        Box::pin(BufReader::new(inner))
    }
    // An empty body is no valid stream of any encoding, but servers send it.
    let start = reader.fill_buf().await.map_err(|error| broken(&error))?;
    if start.is_empty() {
        return Ok(reader);
    }
    Ok(match encoding {
        Encoding::Gzip => {
            let mut decoder = GzipDecoder::new(reader);
            decoder.multiple_members(true);
            buffered(decoder)
        }
        // The standard means zlib, some servers send the bare stream.
        Encoding::Deflate if start[0] & 0x0f == 8 => buffered(ZlibDecoder::new(reader)),
        Encoding::Deflate => buffered(DeflateDecoder::new(reader)),
        Encoding::Brotli => buffered(BrotliDecoder::new(reader)),
    })
}

fn too_large(cap: usize) -> Error {
    Error::new(Code::TooLarge, format!("the response is larger than {cap} bytes"))
        .hint("Ask for less at once, page by page.")
}

fn broken(error: &io::Error) -> Error {
    Error::new(Code::Network, format!("the response broke off: {error}"))
}
