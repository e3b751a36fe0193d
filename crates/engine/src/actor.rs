//! Who asks: every fact remembers it.

use std::fmt;

/// What kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// A person at the window.
    Operator,
    /// A program with an API key.
    Key,
    /// A customer's front end with a client token.
    Client,
    /// A person at the command line of the machine that holds the data.
    Cli,
    /// Weir itself.
    System,
}

impl ActorKind {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            ActorKind::Operator => "operator",
            ActorKind::Key => "key",
            ActorKind::Client => "client",
            ActorKind::Cli => "cli",
            ActorKind::System => "system",
        }
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    /// What kind of caller.
    pub kind: ActorKind,
    /// Which one: the id of a key or a client token, or empty where there is only one.
    pub name: String,
}

impl Actor {
    /// The person at the window.
    pub fn operator() -> Self {
        Actor { kind: ActorKind::Operator, name: String::new() }
    }

    /// The person at the command line.
    pub fn cli() -> Self {
        Actor { kind: ActorKind::Cli, name: String::new() }
    }

    /// Weir itself.
    pub fn system() -> Self {
        Actor { kind: ActorKind::System, name: String::new() }
    }

    /// A program with an API key.
    pub fn key(name: impl Into<String>) -> Self {
        Actor { kind: ActorKind::Key, name: name.into() }
    }

    /// A front end with a client token.
    pub fn client(name: impl Into<String>) -> Self {
        Actor { kind: ActorKind::Client, name: name.into() }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        if !self.name.is_empty() {
            write!(f, " {}", self.name)?;
        }
        Ok(())
    }
}
