//! The dialects: the wires of other systems, as thin translations onto the same use cases.
//!
//! A handler of a dialect returns a response for each outcome that its wire names, and a
//! [`Problem`] for anything else; [`refused`] renders that in the dialect's form.

mod flask;
mod simplejwt;

use std::collections::{BTreeMap, BTreeSet};

use actix_web::dev::ResourceDef;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

pub use self::flask::{Flask, FlaskTransport};
pub use self::simplejwt::SimpleJwt;
use crate::Options;
use crate::problem::Problem;
use crate::routes::Endpoint;

/// The dialects of an installation. All are off by default.
#[derive(Clone, Debug, Default)]
pub struct Dialects {
    /// The wire of djangorestframework-simplejwt and djoser.
    pub simplejwt: Option<SimpleJwt>,
    /// The wire of Flask-JWT-Extended.
    pub flask: Option<Flask>,
}

impl Dialects {
    /// Whether none is on.
    pub(crate) const fn are_off(&self) -> bool {
        self.simplejwt.is_none() && self.flask.is_none()
    }
}

/// A dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    SimpleJwt,
    Flask,
}

/// The dialects that are on, by name, with their endpoints.
fn by_name(options: &Options) -> Vec<(&'static str, Vec<Endpoint>)> {
    let Dialects { simplejwt, flask } = &options.dialects;
    let simplejwt = simplejwt.as_ref().map(|_| ("simplejwt", simplejwt::endpoints()));
    let flask = flask.as_ref().map(|flask| ("flask", flask::endpoints(flask)));
    simplejwt.into_iter().chain(flask).collect()
}

/// The endpoints of the dialects that are on.
pub(crate) fn endpoints(options: &Options) -> Vec<Endpoint> {
    by_name(options).into_iter().flat_map(|(_, endpoints)| endpoints).collect()
}

/// A path of a dialect that is taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Collision {
    /// The name of the dialect.
    pub dialect: &'static str,
    /// The path.
    pub path: String,
    /// What else has the path.
    pub other: String,
}

/// Returns the paths that a dialect shares with a route of the service or with another dialect.
#[must_use]
pub fn collisions(options: &Options) -> Vec<Collision> {
    if options.dialects.are_off() {
        return Vec::new();
    }
    let plain = Options { dialects: Dialects::default(), docs: true, ..options.clone() };
    let own = paths(&crate::endpoints::all(&plain), options);
    let (mut collisions, mut claimed) = (Vec::new(), BTreeMap::new());
    for (dialect, endpoints) in by_name(options) {
        for path in paths(&endpoints, options) {
            let own = own.iter().find(|own| ResourceDef::new(own.as_str()).is_match(&path));
            let own = own.map(|own| format!("the path {own} of the service"));
            let earlier = claimed.insert(path.clone(), dialect);
            let earlier = earlier.map(|earlier| format!("a path of the dialect {earlier}"));
            let others = own.into_iter().chain(earlier);
            collisions.extend(others.map(|other| Collision { dialect, path: path.clone(), other }));
        }
    }
    collisions
}

fn paths(endpoints: &[Endpoint], options: &Options) -> BTreeSet<String> {
    endpoints.iter().map(|endpoint| endpoint.full_path(options)).collect()
}

/// Renders a problem in the form of the request's dialect. `None` if the path belongs to none.
pub(crate) fn refused(
    request: &HttpRequest,
    options: &Options,
    response: &mut HttpResponseBuilder,
    problem: &Problem,
) -> Option<HttpResponse> {
    Some(match kind(request, options)? {
        Kind::SimpleJwt => simplejwt::refused(request, response, problem),
        Kind::Flask => flask::refused(response, problem),
    })
}

fn kind(request: &HttpRequest, options: &Options) -> Option<Kind> {
    let pattern = request.match_pattern()?;
    let Dialects { simplejwt, flask } = &options.dialects;
    if simplejwt.is_some() && simplejwt::owns(&pattern) {
        return Some(Kind::SimpleJwt);
    }
    flask.as_ref().is_some_and(|flask| flask.owns(&pattern)).then_some(Kind::Flask)
}
