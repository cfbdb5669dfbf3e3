//! The file of known nodes: an address a line. Whatever else is in it is passed over.

use std::io;
use std::net::SocketAddrV4;
use std::path::Path;

use headwater_base::{Rng, Seed};
use tokio::fs;
use tokio::io::AsyncReadExt as _;

/// Nodes kept.
const KEPT_MAX: usize = 200;

/// Bytes read of the file: an address has 21 at most.
const BYTES_MAX: u64 = 64 * KEPT_MAX as u64;

/// Reads some of the nodes, chosen by chance: what failed once is not all that is tried.
pub(super) async fn read(path: &Path, max: usize) -> Vec<SocketAddrV4> {
    let mut bytes = Vec::new();
    let read = async { fs::File::open(path).await?.take(BYTES_MAX).read_to_end(&mut bytes).await };
    let mut seed = [0; 32];
    if read.await.is_err() || getrandom::fill(&mut seed).is_err() {
        return Vec::new();
    }
    let mut nodes = parse(&String::from_utf8_lossy(&bytes));
    let mut rng: Rng = Seed(seed).split("nodes");
    rng.shuffle(&mut nodes);
    nodes.truncate(max);
    nodes
}

fn parse(text: &str) -> Vec<SocketAddrV4> {
    let usable = |node: &SocketAddrV4| node.port() != 0 && !node.ip().is_unspecified();
    let nodes = text.lines().filter_map(|line| line.trim().parse().ok());
    nodes.filter(usable).take(KEPT_MAX).collect()
}

/// Writes nodes down, whole or not at all.
pub(super) async fn write(path: &Path, nodes: &[String]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).await?;
    }
    let text: String = nodes.iter().take(KEPT_MAX).map(|node| format!("{node}\n")).collect();
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&fresh, text).await?;
    fs::rename(&fresh, path).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_passed_over_and_the_rest_is_bounded() {
        let text = "60.1.1.1:6881\nnonsense\n[::1]:5\n0.0.0.0:7\n60.1.1.2:0\n 60.1.1.3:1 \r\n";
        let expect: [SocketAddrV4; 2] =
            ["60.1.1.1:6881", "60.1.1.3:1"].map(|node| node.parse().unwrap());
        assert!(parse(text) == expect);
        assert_eq!(parse(&"60.1.1.1:6881\n".repeat(1000)).len(), KEPT_MAX);
    }

    #[tokio::test]
    async fn what_was_written_is_read_and_no_file_is_no_node() {
        let folder = std::env::temp_dir().join(format!("headwater-nodes-{}", std::process::id()));
        let path = folder.join("dht/nodes");
        assert!(read(&path, 9).await.is_empty());
        let nodes: Vec<String> = (0..300).map(|n| format!("60.1.{}.1:6881", n % 250)).collect();
        write(&path, &nodes).await.unwrap();
        assert_eq!((read(&path, 1000).await.len(), read(&path, 9).await.len()), (KEPT_MAX, 9));
        fs::write(&path, [0xff, b'\n', 0, 7]).await.unwrap();
        assert!(read(&path, 9).await.is_empty());
        fs::remove_dir_all(folder).await.unwrap();
    }
}
