//! Two sides of payment wired back to back in virtual time, honest and not.

#[path = "pair/cheats.rs"]
mod cheats;
#[path = "pair/contents.rs"]
mod contents;
#[path = "pair/crashes.rs"]
mod crashes;
#[path = "pair/honest.rs"]
mod honest;
#[path = "pair/shell.rs"]
mod shell;
#[path = "pair/slots.rs"]
mod slots;
