//! The runs: which configurations are explored, and how.

use std::time::Instant;

use stateright::{Checker, Model};

use crate::config::{Config, Fault, Thief};
use crate::model::RefreshModel;
use crate::trace::tell;

/// No fault takes more steps to show.
const DEPTH_MAX: usize = 16;

/// Four concurrent requests, which may arrive a tick late.
pub const KEYS: Config = Config::KEYS;

/// The same for clients without keys.
pub const LEEWAY: Config =
    Config { name: "leeway", keys: false, leeway: 2, requests: (3, 0), ..KEYS };

/// Without keys, and one node's clock is ahead.
pub const CLOCKS: Config = Config { name: "leeway, clocks differ", skew: 1, ..LEEWAY };

/// With keys, and the database loses writes.
pub const LOSS: Config =
    Config { name: "keys, lost writes", loses_writes: true, requests: (3, 0), ..KEYS };

/// Without keys, and the database loses writes.
pub const LEEWAY_LOSS: Config = Config {
    name: "leeway, lost writes",
    loses_writes: true,
    deadline: 1,
    requests: (2, 0),
    ..LEEWAY
};

/// Clients that wait for every response, and store it as a browser does with a cookie.
pub const PATIENT: Config =
    Config { name: "keys, patient", patient: true, fault: Fault::StoresBlindly, ..KEYS };

/// The same without keys.
pub const LEEWAY_PATIENT: Config =
    Config { name: "leeway, patient", keys: false, leeway: 2, requests: (3, 0), ..PATIENT };

/// A forger presents tokens with wrong secrets; the owner may log out.
pub const FORGER: Config =
    Config { name: "keys, forger", thief: Thief::Forger, logout: true, requests: (2, 1), ..KEYS };

/// The same without keys.
pub const LEEWAY_FORGER: Config =
    Config { name: "leeway, forger", keys: false, leeway: 2, logout: false, ..FORGER };

/// The same, with a database that loses writes.
pub const LOSS_FORGER: Config =
    Config { name: "keys, forger, lost writes", loses_writes: true, logout: false, ..FORGER };

/// The token is copied, the key is not; the owner may log out. The leeway is on and does not apply.
pub const THIEF: Config =
    Config { name: "keys, thief", thief: Thief::Token, leeway: 2, deadline: 1, ..FORGER };

/// The same with more concurrent requests.
pub const THIEF_CROWD: Config =
    Config { name: "keys, thief, crowd", leeway: 0, logout: false, requests: (2, 2), ..THIEF };

/// Token and key are copied.
pub const THIEF_WITH_KEY: Config =
    Config { name: "keys, thief with key", thief: Thief::TokenAndKey, leeway: 0, ..THIEF };

/// The token is copied, and neither keys nor leeway are used.
pub const STRICT_THIEF: Config = Config { name: "neither, thief", keys: false, leeway: 0, ..THIEF };

/// The token is copied and there are no keys.
pub const LEEWAY_THIEF: Config =
    Config { name: "leeway, thief", keys: false, logout: false, ..THIEF };

/// The same, with one node's clock ahead.
pub const CLOCKS_THIEF: Config =
    Config { name: "leeway, thief, clocks differ", skew: 1, requests: (1, 1), ..LEEWAY_THIEF };

/// The token is copied, and the database loses writes.
pub const LOSS_THIEF: Config = Config {
    name: "keys, thief, lost writes",
    leeway: 0,
    loses_writes: true,
    logout: false,
    requests: (1, 1),
    ..THIEF
};

/// Clients that present what they read before.
pub const CARELESS: Config =
    Config { name: "keys, careless", careless: true, deadline: 1, requests: (2, 0), ..KEYS };

/// The same without keys.
pub const CARELESS_LEEWAY: Config =
    Config { name: "leeway, careless", keys: false, leeway: 2, ..CARELESS };

/// After how many steps a run ends unless `GATEWARD_SOAK` is set, which `make soak` does: all runs
/// together then take seconds.
const BOUND: usize = 100_000;

/// Explores everything, or only what is nearest to the login, up to [`BOUND`] steps.
///
/// All promises must hold. If everything is explored, all sights must occur, and there must be no
/// fewer states than when the model was written.
#[expect(clippy::disallowed_methods, reason = "the environment configures a test")]
pub fn explore(config: Config, states_at_least: usize) {
    let name = config.name;
    let start = Instant::now();
    let bounded = std::env::var_os("GATEWARD_SOAK").is_none() && states_at_least > BOUND / 2;
    let builder = RefreshModel::new(config).checker();
    if bounded {
        let checker = builder.target_state_count(BOUND).spawn_bfs().join();
        let steps = checker.state_count();
        assert!(steps >= BOUND, "{name}: {steps} steps are fewer than {BOUND}");
        for property in checker.model().promises() {
            assert!(checker.discovery(property.name).is_none(), "{name}: {}", property.name);
        }
        return;
    }
    let checker = builder.spawn_bfs().join();
    println!(
        "{name}: {} states, {} steps, depth {}, {:.1?}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        start.elapsed(),
    );
    checker.assert_properties();
    let states = checker.unique_state_count();
    assert!(states >= states_at_least, "{name}: {states} states are fewer than {states_at_least}");
}

/// Finds a shortest path on which a property fails, and describes it.
pub fn counterexample(config: Config, property: &'static str) -> Vec<String> {
    let title = format!("{}, {:?}: not so: {property}", config.name, config.fault);
    let model = RefreshModel::new(config);
    // The checker continues for a while after a discovery and keeps the last one, so the depth is
    // increased step by step.
    for depth in 1..=DEPTH_MAX {
        let checker = model.clone().checker().target_max_depth(depth).spawn_bfs().join();
        if let Some(path) = checker.discovery(property) {
            let trace = tell(path);
            println!("{title}\n  {}", trace.join("\n  "));
            return trace;
        }
    }
    panic!("{title} was not found within {DEPTH_MAX} steps");
}
