//! What can be set, and by whom: flags, the environment, a file, in this order, and the defaults.
//!
//! `table` is the one place that knows every setting; flags ([`crate::cli`]), variables, keys of
//! the file, the reference and the JSON Schema are made of it, so none of them can lag behind.
//! clap reads flags and the `toml` crate files, with the place of every value; what is left to do
//! here is to lay the layers over each other and to complain of everything at once, which no
//! library does: those that hold layers (figment, config, confique) give up at the first value
//! that serde can't read.

mod draft;
mod environment;
mod file;
mod kind;
mod layer;
mod place;
mod problem;
mod reference;
mod schema;
mod show;
mod source;
mod table;
pub(crate) mod values;

#[cfg(test)]
mod tests;

pub use environment::Variables;
pub use problem::{Place, Problem, Problems};
pub use source::{Loaded, Source};

pub(crate) use kind::Written;
pub(crate) use reference::reference;
pub(crate) use schema::schema;
pub(crate) use show::{defaults, show};
pub(crate) use source::{CONFIG, Names, Value, is_of_log};
pub(crate) use table::{Setting, groups, settings};
