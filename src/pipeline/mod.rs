//! The one path: source, decode, meter, batch, commit, dead letter.
