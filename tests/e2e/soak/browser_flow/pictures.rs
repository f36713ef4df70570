//! Screenshots of the pages, for review: written to the folder in `GATEWARD_SCREENSHOTS`.

use std::path::{Path, PathBuf};

use gateward_e2e::{Browser, PASSWORD};

use super::{NEWEST, SEND, change_address, script, wait_for_emails, wait_for_heading};
use crate::support::inbox::{link, reachable, wait_for_email};
use crate::support::password_reset::forgot;
use crate::support::test_server::TestServer;

#[expect(clippy::disallowed_methods, reason = "the environment configures a test")]
fn folder() -> Option<PathBuf> {
    std::env::var_os("GATEWARD_SCREENSHOTS").map(PathBuf::from)
}

/// Every page on a phone and on a desktop, light and dark: none is wider than its window.
#[tokio::test]
async fn pages_fit_into_their_windows() {
    for (width, height) in [(390, 844), (1280, 900)] {
        for dark in [false, true] {
            let Some(browser) = Browser::start(width, height, dark).await else { return };
            let scheme = if dark { "dark" } else { "light" };
            let look = Look { browser, name: format!("{width}-{scheme}"), folder: folder() };
            look.at_the_pages(&reachable(&[]).await).await;
        }
    }
}

/// A browser, and the folder for its screenshots.
struct Look {
    browser: Browser,
    name: String,
    folder: Option<PathBuf>,
}

impl Look {
    /// Asserts that the content fits the page, and takes a screenshot.
    async fn take(&self, page: &str) {
        let wide = "return document.documentElement.scrollWidth > innerWidth";
        assert_eq!(script(&self.browser, wide).await, false, "{page} {}", self.name);
        if let Some(folder) = &self.folder {
            let file = Path::join(folder, format!("{page}-{}.png", self.name));
            self.browser.screenshot(&file).await;
        }
    }

    async fn at_the_pages(&self, server: &TestServer) {
        let (browser, client) = (&self.browser, &server.client);
        let open = async |path: &str| browser.goto(&format!("{}{path}", server.node.url)).await;
        open("/dev/inbox").await;
        self.take("inbox-empty").await;
        let pair = client.begin("ada").await;
        assert_eq!(client.signup("eve").await.status, 201);
        let confirm = wait_for_email(client, "eve@example.org", "Confirm", 1).await;
        forgot(client, "ada@example.org").await;
        let reset = wait_for_email(client, "ada@example.org", "Reset", 1).await;
        let undo = change_address(client, &pair).await;
        wait_for_email(client, "new@example.org", "Confirm", 1).await;
        wait_for_emails(browser, 5).await;
        open("/dev/inbox").await;
        browser.enter_frame(&format!("{NEWEST} iframe")).await;
        browser.wait_for("h1").await;
        browser.leave_frame().await;
        self.take("inbox").await;

        open("/confirm-email").await;
        self.take("confirm-by-code").await;
        browser.goto(link(&undo)).await;
        self.take("undo").await;
        browser.goto(link(&reset)).await;
        browser.fill("input[name=new_password]", "password123").await;
        browser.click(SEND).await;
        browser.wait_for("[aria-invalid=true]").await;
        self.take("reset-error").await;
        browser.goto(link(&confirm)).await;
        self.take("confirm").await;
        browser.fill("input[name=password]", "not the right one").await;
        browser.click(SEND).await;
        browser.wait_for("[role=alert]").await;
        self.take("confirm-error").await;
        browser.fill("input[name=password]", PASSWORD).await;
        browser.click(SEND).await;
        wait_for_heading(browser, "Your email address is confirmed").await;
        self.take("success").await;
    }
}
