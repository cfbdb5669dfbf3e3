//! Asks the server that runs on the same state, as its owner. A server that does not answer, or
//! whose control is off, leaves its records to be read.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::super::owner::{TOKEN, URL};

/// Longest wait for the server.
const TIME_MAX: Duration = Duration::from_secs(3);

/// Largest answer that is read.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// What `GET` or `POST` of a path of the control API answers, if the server with that state does.
pub(super) fn ask(state: &Path, method: &str, path: &str) -> Option<Value> {
    let read = |file: &str| fs::read_to_string(state.join(file)).ok();
    let (url, token) = (read(URL)?, read(TOKEN)?);
    let host = url.trim().strip_prefix("http://")?.trim_end_matches('/').to_owned();
    let address: SocketAddr = host.parse().ok()?;
    let mut stream = TcpStream::connect_timeout(&address, TIME_MAX).ok()?;
    stream.set_read_timeout(Some(TIME_MAX)).ok()?;
    stream.set_write_timeout(Some(TIME_MAX)).ok()?;
    let token = token.trim();
    let request = format!(
        "{method} /api/v1{path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?;
    if !status.starts_with('2') {
        return None;
    }
    serde_json::from_str(body).ok()
}
