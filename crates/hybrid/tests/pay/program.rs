//! The program as its owner meets it.
