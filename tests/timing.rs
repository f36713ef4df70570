//! Response times for known and unknown email addresses, at every public endpoint: `make timing`.
//!
//! Each pair asks about an email address with an account and about one without, in turns, each
//! first in half of the pairs. The output has both medians, their difference, and how well a rank
//! test (Mann and Whitney) separates the two: 0.5 is a guess.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "it fails by a panic"
)]

use std::path::PathBuf;
use std::time::Instant;

use gateward_e2e::{Client, Database, PASSWORD, Plan, TestDatabase};
use serde_json::{Value, json};

/// How many pairs of requests go to each operation.
const PAIRS: usize = 1000;

/// How many pairs are sent before, and not counted.
const WARM_UP: usize = 50;

/// An operation, and its request body for an email address.
type Question = (&'static str, fn(&str, usize) -> Value);

const QUESTIONS: [Question; 4] = [
    (
        "/v1/signup",
        |email, number| json!({"username": format!("new{number}"), "email": email, "password": PASSWORD}),
    ),
    ("/v1/login", |email, _| json!({"email": email, "password": "not the password"})),
    ("/v1/password/forgot", |email, _| json!({"email": email})),
    ("/v1/email/resend", |email, _| json!({"email": email})),
];

#[tokio::main]
async fn main() {
    let program = PathBuf::from(std::env::args().nth(1).expect("the program to time"));
    for kind in [Database::Sqlite, Database::Postgres] {
        let database = TestDatabase::new(kind).await;
        let plan = Plan { program: program.canonicalize().unwrap(), ..Plan::on(&database) };
        make_accounts(&plan).await;
        // As on a server: full hashes, rate limits, and no account before its email address is
        // confirmed.
        let plan = plan
            .with("password.argon2_memory_kib", 19_456)
            .with("password.argon2_iterations", 2)
            .with("rate_limit.enabled", true)
            .with("signup.email_verification", "required");
        let node = plan.start().await;
        for (path, body) in QUESTIONS {
            let (known, unknown) = ask(&node.client(), path, body).await;
            report(kind, path, known, unknown);
        }
    }
}

/// Accounts with confirmed passwords of the same cost as in the later requests.
async fn make_accounts(plan: &Plan) {
    let plan = Plan {
        environment: plan.environment.clone(),
        folder: plan.folder.clone(),
        wrapper: Vec::new(),
        program: plan.program.clone(),
        wait: true,
    };
    let node = plan
        .with("password.argon2_memory_kib", 19_456)
        .with("password.argon2_iterations", 2)
        .start()
        .await;
    let client = node.client();
    for number in 0..PAIRS + WARM_UP {
        assert_eq!(client.signup(&format!("known{number}")).await.status, 201);
    }
}

/// Asks about pairs of email addresses. Returns the seconds of each response, for known and unknown
/// ones.
async fn ask(client: &Client, path: &str, body: fn(&str, usize) -> Value) -> (Vec<f64>, Vec<f64>) {
    let mut times = [Vec::new(), Vec::new()];
    for number in 0..PAIRS + WARM_UP {
        for turn in [number % 2, (number + 1) % 2] {
            let kind = ["known", "other"][turn];
            let email = format!("{kind}{number}@example.org");
            let request = client.post(path, &body(&email, number * 2 + turn));
            let started = Instant::now();
            let response = client.send(request).await;
            let took = started.elapsed().as_secs_f64();
            assert!(matches!(response.status.as_u16(), 202 | 401), "{response:?}");
            if number >= WARM_UP {
                times[turn].push(took);
            }
        }
    }
    let [known, unknown] = times;
    (known, unknown)
}

/// Prints the result.
#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn report(kind: Database, path: &str, mut known: Vec<f64>, mut unknown: Vec<f64>) {
    let (auc, z) = rank_test(&known, &unknown);
    let (one, other) = (median(&mut known), median(&mut unknown));
    println!(
        "{kind:?} {path}: known {:.1} us, unknown {:.1} us, {:+.2} %, told apart {auc:.3} (z {z:+.2})",
        one * 1e6,
        other * 1e6,
        (one / other - 1.0) * 100.0,
    );
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// How many times a known email address takes longer than an unknown one, and how many standard
/// deviations that is from a half.
#[expect(clippy::cast_precision_loss, reason = "some thousand values")]
fn rank_test(known: &[f64], unknown: &[f64]) -> (f64, f64) {
    let mut ranked: Vec<(f64, bool)> = known.iter().map(|time| (*time, true)).collect();
    ranked.extend(unknown.iter().map(|time| (*time, false)));
    ranked.sort_by(|one, other| one.0.total_cmp(&other.0));
    let ranks = ranked.iter().enumerate().filter(|(_, (_, known))| *known);
    let sum: f64 = ranks.map(|(rank, _)| rank as f64 + 1.0).sum();
    let (first, second) = (known.len() as f64, unknown.len() as f64);
    let u = sum - first * (first + 1.0) / 2.0;
    let deviation = (first * second * (first + second + 1.0) / 12.0).sqrt();
    (u / (first * second), (u - first * second / 2.0) / deviation)
}
