//! Fetches against a small server that says what each test wants.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;

/// Serves each connection with what `answer` makes of a request's path and headers; it ends with
/// the first empty answer.
async fn serve(answer: fn(&str, &str) -> String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                loop {
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n") {
                        if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    let said = answer(&path, &head.to_ascii_lowercase());
                    let is_last = said.is_empty() || said.contains("connection: close");
                    if stream.write_all(said.as_bytes()).await.is_err() || is_last {
                        return;
                    }
                }
            });
        }
    });
    (base, opened)
}

fn part(path: &str, head: &str) -> String {
    assert!(head.contains("accept-encoding: identity\r\n") && !head.contains("cookie"), "{head}");
    match path {
        "/file" if head.contains("range: bytes=2-5\r\n") => {
            "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 2-5/10\r\ncontent-length: 4\r\n\
             \r\ncdef"
                .to_owned()
        }
        "/there" => "HTTP/1.1 302 Found\r\nlocation: file\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "/loop" => "HTTP/1.1 302 Found\r\nlocation: /loop\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "/cut" => "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 2-5/10\r\n\
                   content-length: 4\r\nconnection: close\r\n\r\nc"
            .to_owned(),
        "/long" => format!(
            "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 2-5/10\r\nconnection: close\r\n\
             \r\n{}",
            "x".repeat(100_000)
        ),
        "/busy" => "HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n".to_owned(),
        _ => String::new(),
    }
}

/// Everything a fetch of bytes 2 to 5 tells.
async fn told(fetches: &mut Fetches, inputs: &mut mpsc::Receiver<Input>, url: String) -> Told {
    let job = JobId(1);
    fetches.get(FetchRange { job, url, start: 2, end: 6, trusted: true });
    let mut told = Told { head: RangeHead::default(), bytes: Vec::new(), result: Ok(()) };
    loop {
        let input = timeout(Duration::from_secs(10), inputs.recv()).await.expect("an answer");
        let input = input.expect("an input");
        if let Input::RangeAnswered { head, .. } = input {
            told.head = head;
        } else if let Input::RangeBytes { bytes, .. } = input {
            told.bytes.extend_from_slice(&bytes);
        } else if let Input::RangeFetched { result, .. } = input {
            return Told { result, ..told };
        }
    }
}

#[derive(Debug)]
struct Told {
    head: RangeHead,
    bytes: Vec<u8>,
    result: Result<(), FetchError>,
}

#[tokio::test]
async fn part_is_passed_on_with_its_headers_and_the_connection_is_kept() {
    let (base, opened) = serve(part).await;
    let (answers, mut inputs) = mpsc::channel(64);
    let mut fetches = Fetches::new(answers, None);
    for path in ["/file", "/there", "/file"] {
        let told = told(&mut fetches, &mut inputs, format!("{base}{path}")).await;
        let (head, bytes) = (told.head, told.bytes);
        assert_eq!((told.result, bytes.as_slice()), (Ok(()), &b"cdef"[..]), "{path}");
        assert_eq!((head.status, head.length, head.hidden), (206, Some(4), false));
        assert_eq!(head.range.as_deref(), Some("bytes 2-5/10"));
    }
    assert!(opened.load(Ordering::Relaxed) <= 2, "connections are used again");
}

#[tokio::test]
async fn servers_that_do_wrong_are_left_with_a_reason() {
    let (base, _) = serve(part).await;
    let (answers, mut inputs) = mpsc::channel(64);
    let mut fetches = Fetches::new(answers, None);
    let mut end = async |path: &str| told(&mut fetches, &mut inputs, path.to_owned()).await;
    let looped = end(&format!("{base}/loop")).await;
    assert!(matches!(looped.result, Err(FetchError::Refused(_))), "{looped:?}");
    let cut = end(&format!("{base}/cut")).await;
    assert!(matches!(cut.result, Err(FetchError::Unreachable(_))), "{cut:?}");
    let long = end(&format!("{base}/long")).await;
    assert!(long.result.is_err() && long.bytes.len() < 100_000, "{:?}", long.result);
    let busy = end(&format!("{base}/busy")).await;
    assert_eq!((busy.head.status, busy.head.retry_after, busy.result), (503, Some(7), Ok(())));
    for bad in ["http://me:secret@127.0.0.1/", "ftp://127.0.0.1/", "http://"] {
        assert!(matches!(end(bad).await.result, Err(FetchError::Refused(_))), "{bad}");
    }
    let gone = end("http://127.0.0.1:1/").await;
    assert!(matches!(gone.result, Err(FetchError::Unreachable(_))), "{gone:?}");
}

#[test]
fn redirect_never_leaves_https() {
    let to = |from: &str, to: &str| follow(&Url::parse(from).expect("an address"), to);
    assert!(matches!(to("https://a/b", "http://a/b"), Err(FetchError::Refused(_))));
    assert_eq!(to("https://a/b/c", "../d").expect("it is").as_str(), "https://a/d");
    assert_eq!(to("http://a/b", "https://c/").expect("it is").as_str(), "https://c/");
}
