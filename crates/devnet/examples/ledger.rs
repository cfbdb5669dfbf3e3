//! Runs a test ledger until it is stopped: `cargo run -p headwater-devnet --example ledger -- PORT
//! [FILE]`.

use std::net::{Ipv4Addr, SocketAddr};

use headwater_devnet::server::{self, Error, Options};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "a program tells where it listens")]
async fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let port = args.next().and_then(|port| port.parse().ok()).unwrap_or(0);
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let options = Options { listen, file: args.next().map(Into::into) };
    server::serve(&options, |server| println!("{}", server.banner())).await
}
