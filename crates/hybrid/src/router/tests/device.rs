//! A router that speaks UPnP, knows no leases and has given our port away. Beside it may sit a liar
//! that answers in its stead, and it may say itself that its documents lie elsewhere.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::datagrams::OUTSIDE;

const SERVICE: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";

/// What it knows.
#[derive(Default)]
struct State {
    /// What is mapped, by transport and port.
    mapped: Vec<(String, u16)>,
    /// The documents that were fetched.
    fetched: Vec<String>,
}

type Shared = Arc<Mutex<State>>;

/// A running router.
pub(super) struct Device {
    /// Where it is looked for.
    pub(super) group: SocketAddr,
    state: Shared,
}

impl Device {
    /// Starts one at `ip`. `lies` is where a liar sits, and where it and the device, in its first
    /// answers, say that the documents are.
    pub(super) async fn start(ip: Ipv4Addr, lies: Option<(Ipv4Addr, SocketAddr)>) -> Self {
        let http = TcpListener::bind((ip, 0)).await.expect("a free port");
        let here = http.local_addr().expect("it is bound");
        let ssdp = UdpSocket::bind((ip, 0)).await.expect("a free port");
        let group = ssdp.local_addr().expect("it is bound");
        let state = Shared::default();
        let served = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = http.accept().await {
                tokio::spawn(serve(stream, here, lies.map(|lie| lie.1), Arc::clone(&served)));
            }
        });
        tokio::spawn(async move {
            let mut question = [0; 1500];
            while let Ok((_, from)) = ssdp.recv_from(&mut question).await {
                if let Some((liar, elsewhere)) = lies {
                    let liar = UdpSocket::bind((liar, 0)).await.expect("a free port");
                    for said in [elsewhere, here] {
                        let _ = liar.send_to(location(said, "liar.xml").as_bytes(), from).await;
                    }
                    let _ = ssdp.send_to(location(elsewhere, "root.xml").as_bytes(), from).await;
                    let _ = ssdp.send_to(location(here, "lying.xml").as_bytes(), from).await;
                }
                let _ = ssdp.send_to(location(here, "root.xml").as_bytes(), from).await;
            }
        });
        Self { group, state }
    }

    pub(super) fn mapped(&self) -> Vec<(String, u16)> {
        self.state.lock().expect("no test panicked with it").mapped.clone()
    }

    pub(super) fn fetched(&self) -> Vec<String> {
        self.state.lock().expect("no test panicked with it").fetched.clone()
    }
}

fn location(at: SocketAddr, path: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nST: {SERVICE}\r\nLOCATION: http://{at}/{path}\r\n\r\n")
}

async fn serve(
    mut stream: TcpStream,
    here: SocketAddr,
    elsewhere: Option<SocketAddr>,
    state: Shared,
) {
    let mut request = Vec::new();
    let complete = |request: &[u8]| {
        let text = String::from_utf8_lossy(request).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        length.is_none_or(|length| length.trim().parse().is_ok_and(|l: usize| body.len() >= l))
    };
    while !complete(&request) {
        match stream.read_buf(&mut request).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let path = text.split(' ').nth(1).unwrap_or_default();
    state.lock().expect("no test panicked with it").fetched.push(path.to_owned());
    let (status, body) = match path {
        "/root.xml" => ("200 OK", description(here)),
        "/lying.xml" => ("200 OK", description(elsewhere.unwrap_or(here))),
        "/scpd.xml" => ("200 OK", actions()),
        "/control" => control(&text, &state),
        _ => ("404 Not Found", String::new()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}

fn description(at: SocketAddr) -> String {
    let urls = format!(
        "<SCPDURL>http://{at}/scpd.xml</SCPDURL><controlURL>http://{at}/control</controlURL>"
    );
    let service = format!("<service><serviceType>{SERVICE}</serviceType>{urls}</service>");
    let inner = |kind: &str, inside: String| {
        let kind = format!("<deviceType>urn:schemas-upnp-org:device:{kind}:1</deviceType>");
        format!("<device>{kind}{inside}</device>")
    };
    let connection = inner("WANConnectionDevice", format!("<serviceList>{service}</serviceList>"));
    let wan = inner("WANDevice", format!("<deviceList>{connection}</deviceList>"));
    let root = inner("InternetGatewayDevice", format!("<deviceList>{wan}</deviceList>"));
    format!("<root xmlns=\"urn:schemas-upnp-org:device-1-0\">{root}</root>")
}

fn actions() -> String {
    let action = |name: &str, arguments: &[&str]| {
        let arguments: String = arguments
            .iter()
            .map(|name| {
                format!("<argument><name>New{name}</name><direction>in</direction></argument>")
            })
            .collect();
        format!("<action><name>{name}</name><argumentList>{arguments}</argumentList></action>")
    };
    let add = ["RemoteHost", "ExternalPort", "Protocol", "InternalPort", "InternalClient"];
    let more = ["Enabled", "PortMappingDescription", "LeaseDuration"];
    let list = action("AddPortMapping", &[&add[..], &more].concat())
        + &action("DeletePortMapping", &add[..3])
        + &action("GetExternalIPAddress", &[]);
    format!("<scpd><actionList>{list}</actionList></scpd>")
}

fn control(request: &str, state: &Shared) -> (&'static str, String) {
    let field = |name: &str| {
        let (open, close) = (format!("<New{name}>"), format!("</New{name}>"));
        let text = request.split_once(&open).and_then(|(_, rest)| rest.split_once(&close));
        text.map(|(text, _)| text.to_owned()).unwrap_or_default()
    };
    let port: u16 = field("ExternalPort").parse().unwrap_or(0);
    let State { mapped, .. } = &mut *state.lock().expect("no test panicked with it");
    if request.contains("#GetExternalIPAddress") {
        let address = format!("<NewExternalIPAddress>{OUTSIDE}</NewExternalIPAddress>");
        return answer("GetExternalIPAddress", &address);
    }
    if request.contains("#DeletePortMapping") {
        mapped.retain(|held| *held != (field("Protocol"), port));
        return answer("DeletePortMapping", "");
    }
    if field("LeaseDuration") != "0" {
        return fault(725);
    }
    if (field("Protocol"), port) == ("TCP".to_owned(), super::OWN) {
        return fault(718);
    }
    mapped.push((field("Protocol"), port));
    answer("AddPortMapping", "")
}

fn answer(action: &str, inside: &str) -> (&'static str, String) {
    let name = format!("u:{action}Response");
    ("200 OK", envelope(&format!("<{name} xmlns:u=\"{SERVICE}\">{inside}</{name}>")))
}

fn fault(code: u16) -> (&'static str, String) {
    let words = format!("<errorCode>{code}</errorCode><errorDescription>no</errorDescription>");
    let error = format!("<UPnPError>{words}</UPnPError>");
    let inside = format!("<s:Fault><detail>{error}</detail></s:Fault>");
    ("500 Internal Server Error", envelope(&inside))
}

fn envelope(inside: &str) -> String {
    let space = "http://schemas.xmlsoap.org/soap/envelope/";
    format!("<s:Envelope xmlns:s=\"{space}\"><s:Body>{inside}</s:Body></s:Envelope>")
}
