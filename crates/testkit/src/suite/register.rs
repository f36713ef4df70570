//! The macros that declare promises and create their tests.

use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::timeout;

/// Maximum duration of a promise. A longer one is a deadlock.
const TIME_MAX: Duration = Duration::from_mins(2);

/// Declares promises: creates a function for each, and the list that creates their tests.
///
/// A function receives a [`StoreFixture`](super::StoreFixture) over an empty store.
macro_rules! promises {
    (@emit ($d:tt) $list:ident;
        $($(#[$meta:meta])* async fn $name:ident($fixture:ident: StoreFixture) $body:block)+
    ) => {
        $(
            #[doc = concat!("The promise `", stringify!($name), "`.")]
            $(#[$meta])*
            pub async fn $name(store: std::sync::Arc<dyn gateward_domain::ports::Store>) {
                let $fixture = $crate::suite::StoreFixture::new(store, stringify!($name));
                $body
            }
        )+

        /// The promises of this file.
        pub(super) const NAMES: &[&str] = &[$(stringify!($name)),+];

        #[doc(hidden)]
        #[macro_export]
        macro_rules! $list {
            ($d module:ident, [$d($d attribute:tt)*], $d make:expr) => {
                $(
                    #[test]
                    $d($d attribute)*
                    fn $name() {
                        $crate::suite::run(async {
                            let subject: $crate::Subject = ($d make).into();
                            $crate::suite::$d module::$name(subject.store()).await;
                        });
                    }
                )+
            };
        }
    };
    ($list:ident; $($promises:tt)+) => {
        promises! { @emit ($) $list; $($promises)+ }
    };
}

/// Creates [`conformance!`](crate::conformance) from the files of promises.
macro_rules! register {
    (@emit ($d:tt) $($module:ident => $list:ident)+) => {
        /// The names of all promises, by file.
        pub const PROMISES: &[&[&str]] = &[$($module::NAMES),+];

        /// Creates one test for each promise of the storage ports.
        ///
        /// The expression is evaluated for each test, in a runtime with four workers. It returns a
        /// new, migrated store, or a [`Subject`](crate::Subject). Attributes before it, such as
        /// `#[ignore = "…"]`, are applied to each test.
        #[macro_export]
        macro_rules! conformance {
            ($d(#[$d meta:meta])* $d make:expr $d(,)?) => {
                $($crate::$list! { $module, [$d(#[$d meta])*], $d make })+
            };
        }
    };
    ($($module:ident => $list:ident),+ $(,)?) => {
        register! { @emit ($) $($module => $list)+ }
    };
}

/// Runs the test of one promise.
pub fn run(promise: impl Future<Output = ()>) {
    let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let in_time = timeout(TIME_MAX, promise).await;
        assert!(in_time.is_ok(), "a sign-up waits for ever");
    });
}
