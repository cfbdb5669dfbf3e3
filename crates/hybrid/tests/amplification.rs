//! How much longer than a question the answer of a DHT node is.

use std::net::UdpSocket;
use std::time::Duration;

use mainline::Testnet;

/// Answers may be this many times as long as questions: the longest, with twenty peers and twenty
/// nodes, is 7.3 times as long as its question.
const FACTOR_MAX: usize = 8;

/// The answer to a question, with what comes before and after its arguments.
fn ask(socket: &UdpSocket, method: &str, args: &str) -> (Vec<u8>, usize) {
    let id = "i".repeat(20);
    let query =
        format!("d1:ad2:id20:{id}{args}e1:q{}:{method}1:t4:\0\0\0\x011:y1:qe", method.len());
    socket.send(query.as_bytes()).expect("sent");
    let mut answer = vec![0; 4096];
    let len = socket.recv(&mut answer).expect("an answer");
    answer.truncate(len);
    (answer, query.len())
}

/// The token in an answer.
fn token(answer: &[u8]) -> Vec<u8> {
    let at = answer.windows(8).position(|window| window == b"5:token4").expect("a token") + 9;
    answer[at..at + 4].to_vec()
}

#[test]
fn an_answer_is_at_most_eight_times_as_long_as_its_question() {
    let net = Testnet::builder(30).build().expect("a testnet");
    let hash = "h".repeat(20);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
    socket.connect(&net.bootstrap[0]).expect("a node");
    let measure = |method: &str, args: &str| {
        let (answer, asked) = ask(&socket, method, args);
        assert!(answer.len() <= FACTOR_MAX * asked, "{method}: {} of {asked}", answer.len());
    };
    measure("ping", "");
    measure("find_node", &format!("6:target20:{hash}"));
    measure("get", &format!("6:target20:{hash}"));
    measure("get_peers", &format!("9:info_hash20:{hash}"));
    for port in 1000..1030 {
        let token = token(&ask(&socket, "get_peers", &format!("9:info_hash20:{hash}")).0);
        let mut query = b"d1:ad2:id20:".to_vec();
        query.extend(format!("{port:0>20}").bytes());
        query.extend(format!("9:info_hash20:{hash}4:porti{port}e5:token4:").bytes());
        query.extend(token);
        query.extend(b"e1:q13:announce_peer1:t4:\0\0\0\x011:y1:qe");
        socket.send(&query).expect("sent");
        let len = socket.recv(&mut [0; 4096]).expect("an answer");
        assert!(len <= FACTOR_MAX * query.len());
    }
    let (answer, asked) = ask(&socket, "get_peers", &format!("9:info_hash20:{hash}"));
    assert!(answer.len() <= FACTOR_MAX * asked, "{} of {asked}", answer.len());
    assert!(answer.windows(6).any(|window| window == b"values"));
}
