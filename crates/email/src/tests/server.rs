//! An SMTP server that says what a test tells it to.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};

/// What the SMTP server answers; an answer that is not set is the usual one.
#[derive(Clone, Default)]
pub(super) struct Script {
    /// Pairs of what a line begins with, or `CONNECT` or `EMAIL`, and the answer to it.
    pub responses: Vec<(&'static str, &'static str)>,
}

/// Says nothing, and keeps the connection open.
pub(super) const HANG: &str = "";

/// An SMTP server that runs until the test ends.
pub(super) struct Server {
    pub port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) async fn start(responses: &[(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let script = Script { responses: responses.to_vec() };
        let server = Self { port, heard: Arc::clone(&heard) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script.clone(), Arc::clone(&heard)));
            }
        });
        server
    }

    pub(super) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The lines that were heard that begin so, with `CONNECT` for each connection and `EMAIL …`
    /// for each email.
    pub(super) fn heard(&self, begin: &str) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|line| line.starts_with(begin)).cloned().collect()
    }
}

impl Script {
    fn response(&self, line: &str) -> &'static str {
        let usual = [
            ("CONNECT", "220 smtp.example.org"),
            ("EHLO", "250-smtp.example.org\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN"),
            ("AUTH", "235 welcome"),
            ("DATA", "354 go on"),
            ("QUIT", "221 bye"),
            ("", "250 fine"),
        ];
        let mut responses = self.responses.iter().chain(&usual);
        responses.find(|(begin, _)| line.starts_with(begin)).map_or("", |(_, response)| response)
    }
}

async fn serve(stream: TcpStream, script: Script, heard: Arc<Mutex<Vec<String>>>) {
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    let mut line = "CONNECT".to_owned();
    loop {
        heard.lock().unwrap().push(line.clone());
        if !say(&mut writing, script.response(&line)).await {
            return;
        }
        let Ok(Some(next)) = lines.next_line().await else { return };
        line = next;
        if heard.lock().unwrap().last().is_some_and(|last| last == "DATA") {
            let mut email = line.clone();
            while let Ok(Some(next)) = lines.next_line().await {
                if next == "." {
                    break;
                }
                email.push('\n');
                email.push_str(&next);
            }
            line = format!("EMAIL {email}");
        }
    }
}

/// Says an answer; `false` if the connection is to be closed.
async fn say(writing: &mut OwnedWriteHalf, response: &str) -> bool {
    match response {
        HANG => std::future::pending().await,
        "CLOSE" => false,
        _ => writing.write_all(format!("{response}\r\n").as_bytes()).await.is_ok(),
    }
}
