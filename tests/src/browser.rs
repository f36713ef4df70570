//! `Browser`: headless Chromium, driven by chromedriver.

mod chromium;
mod session;

use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::eventually;

use chromium::Chromium;
pub use session::{Element, Session};

/// How long a page may take in a test, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The settings of a browser.
#[derive(Clone, Debug)]
pub struct BrowserPlan {
    /// The width of the page in pixels.
    pub width: u32,
    /// The height of the page in pixels.
    pub height: u32,
    /// Whether the user prefers dark pages.
    pub dark: bool,
    /// Whether pages may run scripts.
    pub scripts: bool,
    /// Whether the browser accepts any certificate.
    pub any_certificate: bool,
}

/// A browser with a new profile. It ends when dropped.
pub struct Browser {
    /// The session, for commands without a method here.
    pub session: Session,
    chromium: Chromium,
    plan: BrowserPlan,
}

impl BrowserPlan {
    /// A browser with a page of this size that runs scripts.
    #[must_use]
    pub const fn new(width: u32, height: u32, dark: bool) -> Self {
        Self { width, height, dark, scripts: true, any_certificate: false }
    }

    /// Starts a browser, or returns `None` with a message if Chromium or its driver is missing.
    pub async fn start(self) -> Option<Browser> {
        let chromium = tokio::task::spawn_blocking(Chromium::start).await.unwrap()?;
        let capabilities = chromium.capabilities(&self);
        let session = Session::begin(&chromium.url, capabilities).await.unwrap();
        let browser = Browser { session, chromium, plan: self };
        browser.set_size().await;
        Some(browser)
    }
}

impl Browser {
    /// Starts a browser with a page of this size.
    pub async fn start(width: u32, height: u32, dark: bool) -> Option<Self> {
        BrowserPlan::new(width, height, dark).start().await
    }

    /// Opens a URL and waits until the page is loaded. It may be an error page of Chromium's own,
    /// such as for a certificate.
    pub async fn goto(&self, url: &str) {
        self.try_goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Opens a URL, or returns the error.
    pub async fn try_goto(&self, url: &str) -> Result<(), String> {
        self.session.post("/url", json!({"url": url})).await.map(drop)
    }

    /// The current URL.
    pub async fn url(&self) -> String {
        self.session.get_text("/url").await.unwrap()
    }

    /// The title of the page.
    pub async fn title(&self) -> String {
        self.session.get_text("/title").await.unwrap()
    }

    /// The current HTML of the page.
    pub async fn source(&self) -> String {
        self.session.get_text("/source").await.unwrap()
    }

    /// Whether an element exists and is visible now.
    pub async fn shows(&self, css: &str) -> bool {
        let Ok(element) = self.session.find(css).await else { return false };
        element.is_displayed().await
    }

    /// Waits until an element is visible, and returns it.
    pub async fn wait_for(&self, css: &str) -> Element<'_> {
        let started = Instant::now();
        // Not `eventually`: the page is read only once the patience has run out.
        while started.elapsed() < PATIENCE {
            if let Ok(element) = self.session.find(css).await
                && element.is_displayed().await
            {
                return element;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {css} on {}:\n{}", self.url().await, self.source().await);
    }

    /// Clicks on an element, once it is visible.
    pub async fn click(&self, css: &str) {
        let clicked = self.wait_for(css).await.click().await;
        clicked.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Replaces the text of an input.
    pub async fn fill(&self, css: &str, text: &str) {
        let element = self.wait_for(css).await;
        element.clear().await.unwrap_or_else(|error| panic!("{css}: {error}"));
        element.send_keys(text).await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// The visible text of an element.
    pub async fn text(&self, css: &str) -> String {
        self.wait_for(css).await.text().await.unwrap()
    }

    /// Enters a frame of the page.
    pub async fn enter_frame(&self, css: &str) {
        self.wait_for(css).await.enter().await.unwrap();
    }

    /// Returns from a frame to the page.
    pub async fn leave_frame(&self) {
        self.session.post("/frame", json!({"id": null})).await.unwrap();
    }

    /// Switches to the other window, once there is one.
    pub async fn enter_other_window(&self) {
        let here = self.session.get("/window").await.unwrap();
        let other = eventually(PATIENCE, async || {
            let windows = self.session.get("/window/handles").await.unwrap();
            let other = windows.as_array().unwrap().iter().find(|other| **other != here);
            other.cloned().ok_or_else(|| "there is no other window".to_owned())
        })
        .await;
        self.session.post("/window", json!({"handle": other})).await.unwrap();
        self.set_size().await;
    }

    /// Writes a screenshot of the page to a file (PNG).
    pub async fn screenshot(&self, file: &Path) {
        let picture = self.session.get_text("/screenshot").await.unwrap();
        std::fs::write(file, STANDARD.decode(picture).unwrap()).unwrap();
    }

    /// The errors on the console since the last call: of scripts, of the content security policy,
    /// of files that failed to load.
    pub async fn console_errors(&self) -> Vec<String> {
        let entries = self.session.post("/se/log", json!({"type": "browser"})).await.unwrap();
        let errors = entries.as_array().unwrap().iter().filter(|entry| entry["level"] == "SEVERE");
        errors.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// A folder that is removed with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.chromium.folder.path()
    }

    /// Sets the size of the page, which a headless window does not have by itself.
    async fn set_size(&self) {
        let (width, height) = (self.plan.width, self.plan.height);
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.session.develop("Emulation.setDeviceMetricsOverride", size).await.unwrap();
    }
}
