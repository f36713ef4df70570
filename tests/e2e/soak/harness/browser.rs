//! The browser: pages, windows and preferences.

use std::path::Path;
use std::time::Duration;

use gateward_e2e::{Browser, BrowserPlan, MailPlan, MailTls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PAGE: &str = r##"<!doctype html>
<title>A page</title>
<style>
  #dark { display: none }
  @media (prefers-color-scheme: dark) { #dark { display: block } }
</style>
<p id="dark">It is dark.</p>
<noscript><p id="still">No scripts.</p></noscript>
<form><input id="name" value="old"><button>Say</button></form>
<p id="said"></p><p id="wide"></p>
<iframe srcdoc="<p id='inner'>Inside</p>"></iframe>
<a id="other" target="_blank" href="other.html">Other</a>
<script>
  document.querySelector("form").addEventListener("submit", event => {
    event.preventDefault();
    document.querySelector("#said").textContent = document.querySelector("#name").value;
  });
  document.querySelector("#wide").textContent = innerWidth + "x" + innerHeight;
  console.error("a complaint");
</script>
"##;

/// Writes the pages to a folder, and returns the URL of the first.
fn write_pages(folder: &Path) -> String {
    std::fs::write(folder.join("page.html"), PAGE).unwrap();
    std::fs::write(folder.join("other.html"), "<p id='there'>There</p>").unwrap();
    format!("file://{}/page.html", folder.display())
}

#[tokio::test]
async fn a_page_is_filled_in_and_clicked() {
    let Some(browser) = Browser::start(390, 844, false).await else { return };
    browser.goto("data:text/html,<title>Data</title>").await;
    assert_eq!(browser.title().await, "Data");
    browser.goto(&write_pages(browser.folder())).await;
    browser.fill("#name", "Ada").await;
    browser.click("button").await;
    assert_eq!(browser.text("#said").await, "Ada");
    assert_eq!(browser.text("#wide").await, "390x844");
    assert!(!browser.shows("#dark").await && !browser.shows("#still").await);
    let errors = browser.console_errors().await;
    assert!(errors.len() == 1 && errors[0].contains("a complaint"), "{errors:?}");

    browser.enter_frame("iframe").await;
    assert_eq!(browser.text("#inner").await, "Inside");
    browser.leave_frame().await;
    browser.click("#other").await;
    browser.enter_other_window().await;
    assert_eq!(browser.text("#there").await, "There");
    assert!(browser.url().await.ends_with("/other.html"));

    let picture = browser.folder().join("picture.png");
    browser.screenshot(&picture).await;
    let picture = std::fs::read(picture).unwrap();
    let number = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
    assert_eq!((number(16), number(20)), (390, 844), "the size in the head of a PNG");
}

#[tokio::test]
async fn a_page_is_dark_and_without_scripts_where_its_reader_wants_it() {
    let plan = BrowserPlan { scripts: false, ..BrowserPlan::new(1280, 800, true) };
    let Some(browser) = plan.start().await else { return };
    browser.goto(&write_pages(browser.folder())).await;
    assert!(browser.shows("#dark").await, "{}", browser.source().await);
    assert_eq!(browser.text("#still").await, "No scripts.");
    browser.fill("#name", "Ada").await;
    assert!(!browser.shows("#wide").await);
    assert!(browser.console_errors().await.is_empty());
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_taken_on_request_alone() {
    // An SMTP server is no web server, but the browser checks its certificate first.
    let plan = MailPlan { tls: Some(MailTls::Implicit), login: None };
    let Some(server) = plan.start().await else { return };
    let url = format!("https://127.0.0.1:{}/", server.port);
    for (any_certificate, complaint) in
        [(false, "ERR_CERT_AUTHORITY_INVALID"), (true, "ERR_INVALID_HTTP_RESPONSE")]
    {
        let plan = BrowserPlan { any_certificate, ..BrowserPlan::new(800, 600, false) };
        let Some(browser) = plan.start().await else { return };
        browser.goto(&url).await;
        let page = browser.source().await;
        assert!(page.contains(complaint), "{any_certificate}: {page}");
    }
}

#[tokio::test]
async fn names_under_test_are_this_machine_and_others_are_nowhere() {
    let Some(browser) = Browser::start(800, 600, false).await else { return };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let response =
                b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n<p>Hello!";
            let _ = stream.write_all(response).await;
        }
    });
    browser.goto(&format!("http://app.test:{port}/")).await;
    assert_eq!(browser.text("p").await, "Hello!");
    let error = browser.try_goto(&format!("http://example.org:{port}/")).await.unwrap_err();
    assert!(error.contains("ERR_NAME_NOT_RESOLVED"), "{error}");
}

#[tokio::test]
async fn a_browser_leaves_nothing_behind() {
    let Some(browser) = Browser::start(800, 600, false).await else { return };
    let folder = browser.folder().to_owned();
    assert!(count_processes(&folder) > 1);
    drop(browser);
    // On a busy machine, killed processes exit a moment later.
    for _ in 0..100 {
        if count_processes(&folder) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(count_processes(&folder), 0);
    assert!(!folder.exists());
}

/// The processes whose command line names a folder.
fn count_processes(folder: &Path) -> usize {
    let folder = folder.to_str().unwrap();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(folder)).count()
}
