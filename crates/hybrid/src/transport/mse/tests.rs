//! Both sides of an exchange against each other, over streams that cut where they like.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncReadExt, DuplexStream, ReadBuf, duplex};

use super::*;

const HASH: InfoHash = InfoHash([7; 20]);

fn find(name: &Digest1) -> Option<InfoHash> {
    (*name == name_of(&HASH)).then_some(HASH)
}

/// One end of a pipe that gives few bytes at a time.
struct Sips(DuplexStream, usize);

impl AsyncRead for Sips {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut sip = buffer.take(self.1);
        let polled = Pin::new(&mut self.0).poll_read(cx, &mut sip);
        let taken = sip.filled().to_vec();
        buffer.put_slice(&taken);
        polled
    }
}

impl AsyncWrite for Sips {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Plays an exchange over streams that give so many bytes at a time, then a word each way.
async fn check(sip: usize, forms: (Form, Form), encrypted: bool) {
    let (a, b) = duplex(4096);
    let (mut a, mut b) = (Sips(a, sip), Sips(b, sip));
    let hello = vec![b'h'; 300];
    let payload = hello.clone();
    let dialling = async {
        let mut secured = dial(&mut a, &HASH, &payload, forms.0).await.unwrap();
        say(&mut a, &mut secured, b"from a").await;
        let heard = hear(&mut a, &mut secured, 6).await;
        (secured.keys.is_some(), heard)
    };
    let accepting = async {
        let mut secured = accept(&mut b, BytesMut::new(), find, forms.1).await.unwrap();
        say(&mut b, &mut secured, b"from b").await;
        let heard = hear(&mut b, &mut secured, hello.len() + 6).await;
        (secured.keys.is_some(), heard)
    };
    let (a, b) = tokio::join!(dialling, accepting);
    assert_eq!(a, (encrypted, b"from b".to_vec()));
    assert_eq!(b, (encrypted, [&hello[..], b"from a"].concat()));
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), secured: &mut Secured, words: &[u8]) {
    let mut words = words.to_vec();
    if let Some(keys) = &mut secured.keys {
        keys.outgoing.apply(&mut words);
    }
    stream.write_all(&words).await.unwrap();
}

async fn hear(
    stream: &mut (impl AsyncRead + Unpin),
    secured: &mut Secured,
    count: usize,
) -> Vec<u8> {
    let mut out = secured.first.to_vec();
    let mut rest = vec![0; count - out.len()];
    stream.read_exact(&mut rest).await.unwrap();
    if let Some(keys) = &mut secured.keys {
        keys.incoming.apply(&mut rest);
    }
    out.append(&mut rest);
    out
}

#[tokio::test]
async fn both_sides_agree_and_understand_each_other_however_the_stream_is_cut() {
    for sip in [1, 13, 4096] {
        check(sip, (Form::Rc4, Form::Any), true).await;
        check(sip, (Form::Any, Form::Rc4), true).await;
        check(sip, (Form::Any, Form::Any), false).await;
    }
}

#[tokio::test]
async fn nothing_is_answered_for_a_torrent_that_is_not_here() {
    let (mut a, mut b) = duplex(64 * 1024);
    let other = InfoHash([8; 20]);
    let accepting = async {
        let refused = accept(&mut b, BytesMut::new(), find, Form::Any).await;
        drop(b);
        refused.map(|_| ()).map_err(|e| e.kind())
    };
    let (dialled, refused) = tokio::join!(dial(&mut a, &other, b"", Form::Any), accepting);
    assert_eq!(refused, Err(io::ErrorKind::InvalidData));
    assert!(dialled.is_err());
}

#[tokio::test]
async fn noise_ends_an_exchange_after_a_bounded_number_of_bytes() {
    for fill in [0, 1, 0xff] {
        let mut noise = vec![fill; 4096];
        noise[KEY_BYTES - 1] = 5;
        let (mut a, mut b) = duplex(64 * 1024);
        a.write_all(&noise).await.unwrap();
        let refused = accept(&mut b, BytesMut::new(), find, Form::Any).await;
        assert_eq!(refused.map(|_| ()).unwrap_err().kind(), io::ErrorKind::InvalidData, "{fill}");
        let (mut a, mut b) = duplex(64 * 1024);
        a.write_all(&noise).await.unwrap();
        let refused = dial(&mut b, &HASH, b"", Form::Any).await;
        assert_eq!(refused.map(|_| ()).unwrap_err().kind(), io::ErrorKind::InvalidData, "{fill}");
    }
}

#[tokio::test]
async fn a_form_nobody_offered_is_refused() {
    let (mut a, mut b) = duplex(64 * 1024);
    let (a, b) = tokio::join!(
        async {
            let dialled = dial(&mut a, &HASH, b"", Form::Rc4).await;
            drop(a);
            dialled
        },
        async {
            // An accepting side that takes plain whatever it is offered.
            let accepted = accept(&mut b, BytesMut::new(), find, Form::Any).await;
            accepted.map(|secured| secured.keys.is_some())
        }
    );
    assert!(a.is_ok() && b.is_ok_and(|encrypted| encrypted), "RC4 alone was offered");
}
