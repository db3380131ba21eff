//! A client of a few lines: it sends messages and gives back what comes, byte for byte.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub kind: char,
    pub body: Vec<u8>,
}

impl Message {
    /// An error's field: `C` is its code, `M` its message.
    pub fn field(&self, name: char) -> String {
        let fields = self.body.split(|byte| *byte == 0);
        let field = fields.filter_map(|field| std::str::from_utf8(field).ok());
        let found = field.filter_map(|field| field.strip_prefix(name)).next();
        found.unwrap_or_default().to_owned()
    }

    fn cells(&self) -> Vec<String> {
        let (mut cells, mut at) = (Vec::new(), 2);
        while at < self.body.len() {
            let length: [u8; 4] = self.body[at..at + 4].try_into().expect("a length");
            at += 4;
            let Ok(length) = usize::try_from(i32::from_be_bytes(length)) else {
                cells.push("NULL".to_owned());
                continue;
            };
            cells.push(String::from_utf8_lossy(&self.body[at..at + length]).into_owned());
            at += length;
        }
        cells
    }
}

/// The rows among messages, as text.
pub fn rows(messages: &[Message]) -> Vec<Vec<String>> {
    messages.iter().filter(|message| message.kind == 'D').map(Message::cells).collect()
}

/// The code of the error among messages; empty where there is none.
pub fn code(messages: &[Message]) -> String {
    let error = messages.iter().find(|message| message.kind == 'E');
    error.map(|error| error.field('C')).unwrap_or_default()
}

/// A connection.
pub struct Client {
    stream: TcpStream,
    /// The number and secret that cancel what it runs.
    pub name: Vec<u8>,
}

impl Client {
    /// Connects with a key, or without; the error that refuses it.
    pub async fn connect(address: SocketAddr, key: Option<&str>) -> Result<Self, Message> {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let mut client = Self { stream, name: Vec::new() };
        let mut startup = 196_608_u32.to_be_bytes().to_vec();
        startup.extend_from_slice(b"user\0analyst\0database\0tokenmeter\0\0");
        client.send_bytes(None, &startup).await;
        loop {
            let message = client.next().await.expect("an answer");
            match message.kind {
                'R' if message.body == [0, 0, 0, 3] => {
                    let key = key.unwrap_or_default();
                    client.send_bytes(Some(b'p'), format!("{key}\0").as_bytes()).await;
                }
                'K' => client.name = message.body,
                'E' => return Err(message),
                'Z' => return Ok(client),
                _ => {}
            }
        }
    }

    /// Sends bytes on a connection of its own, and nothing after them; what is said first.
    pub async fn say(address: SocketAddr, bytes: &[u8]) -> Option<Message> {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let mut client = Self { stream, name: Vec::new() };
        drop(client.stream.write_all(bytes).await);
        drop(client.stream.shutdown().await);
        client.next().await
    }

    /// Sends a text of statements; what comes until the server is ready again, or gone.
    pub async fn ask(&mut self, sql: &str) -> Vec<Message> {
        self.send(b'Q', format!("{sql}\0").as_bytes()).await;
        self.until_ready().await
    }

    /// Prepares, binds texts, describes, and executes for so many rows; then syncs.
    pub async fn execute(&mut self, sql: &str, parameters: &[&str], rows: u32) -> Vec<Message> {
        self.send(b'P', format!("\0{sql}\0\0\0").as_bytes()).await;
        let mut bind = b"\0\0\0\0".to_vec();
        bind.extend(u16::try_from(parameters.len()).expect("few").to_be_bytes());
        for parameter in parameters {
            bind.extend(u32::try_from(parameter.len()).expect("short").to_be_bytes());
            bind.extend_from_slice(parameter.as_bytes());
        }
        bind.extend([0, 0]);
        self.send(b'B', &bind).await;
        self.send(b'D', b"P\0").await;
        self.fetch(rows).await;
        self.send(b'S', b"").await;
        self.until_ready().await
    }

    /// Executes the unnamed portal for so many rows.
    pub async fn fetch(&mut self, rows: u32) {
        let execute = [b"\0".as_slice(), &rows.to_be_bytes()].concat();
        self.send(b'E', &execute).await;
    }

    pub async fn send(&mut self, kind: u8, body: &[u8]) {
        self.send_bytes(Some(kind), body).await;
    }

    async fn send_bytes(&mut self, kind: Option<u8>, body: &[u8]) {
        let length = u32::try_from(body.len() + 4).expect("a short message").to_be_bytes();
        let message = [kind.as_slice(), &length, body].concat();
        // A server that is gone is noticed by what it no longer says.
        drop(self.stream.write_all(&message).await);
    }

    pub async fn until_ready(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.next().await {
            let is_ready = message.kind == 'Z';
            messages.push(message);
            if is_ready {
                break;
            }
        }
        messages
    }

    /// The next message; `None`: the server has closed the connection.
    pub async fn next(&mut self) -> Option<Message> {
        let kind = self.stream.read_u8().await.ok()?;
        let length = usize::try_from(self.stream.read_u32().await.ok()?).expect("a length");
        let mut body = vec![0; length - 4];
        self.stream.read_exact(&mut body).await.ok()?;
        Some(Message { kind: char::from(kind), body })
    }
}

/// Asks, on a connection of its own, to cancel what another one runs.
pub async fn cancel(address: SocketAddr, name: &[u8]) {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let mut client = Client { stream, name: Vec::new() };
    let request = [80_877_102_u32.to_be_bytes().as_slice(), name].concat();
    client.send_bytes(None, &request).await;
    assert_eq!(client.next().await, None, "nothing is said to it");
}
