//! Every limit of payment, with why it is what it is.

use core::time::Duration;

/// Bytes a seller gives a payer it does not know before the first voucher: 16 blocks.
pub const CREDIT_BYTES_MIN: u64 = 256 * 1024;
/// Most bytes of credit, unless two seconds at the payer's rate are more.
pub const CREDIT_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Most bytes of credit at any rate: two seconds of a gigabit.
pub const CREDIT_BYTES_CEILING: u64 = 256 * 1024 * 1024;
/// A price above this is nobody's. It keeps price times bytes far from the end of `u128`.
pub const PRICE_MAX: u128 = 1 << 90;
/// How often slots are sold anew, and how often a buyer looks at its bids.
pub const ROUND: Duration = Duration::from_secs(10);
/// How long an award stands unless it comes again: two lost rounds and the one that follows.
pub const AWARD_SECONDS: u32 = 30;
/// The longest award taken. One that never ends is a mistake.
pub const AWARD_SECONDS_MAX: u32 = 600;
/// How long an offer may be bid on.
pub const OFFER_SECONDS: u32 = 3600;
/// How long a seller waits for what is due.
pub const GRACE: Duration = Duration::from_secs(5);
/// Messages against the rules after which a link has no more payment.
pub const STRIKES_MAX: u32 = 3;
/// Messages of one link in a round; at 10 MB/s and 256 KiB a voucher there are 800 both ways.
pub const MESSAGES_PER_ROUND: u32 = 2000;
/// Grants of one link looked at in a round. Each costs a check of a signature and a question to
/// the chain; a buyer has one.
pub const GRANTS_PER_ROUND: u32 = 4;
/// Links that take part at once; an engine keeps fewer.
pub const LINKS_MAX: usize = 1024;
/// Jobs handed to the shell and not answered: a few for each link.
pub const JOBS_MAX: usize = 4096;
/// Steps that wait to be taken. A shell that takes none is broken.
pub const STEPS_MAX: usize = 65_536;
/// Promises, credits and over-issuers kept, each. Beyond that no new payer or payee is taken.
pub const RECORDS_MAX: usize = 4096;
/// Contents whose keys are wanted, or sold, at once.
pub const CONTENTS_MAX: usize = 1024;
/// Sold keys that are remembered. Beyond that the oldest are forgotten whose sessions are over.
pub const SOLD_MAX: usize = 65_536;
/// How long a seller of a key has to answer before it is asked again. It asks the chain meanwhile.
pub const KEY_WAIT: Duration = Duration::from_secs(15);
/// How often it is asked, or waited for, before that is told.
pub const KEY_TRIES: u32 = 8;
/// Price steps of a link that are kept at once; older ones are folded into a sum.
pub const STEPS_OF_PRICE_MAX: usize = 64;
/// The unit a buyer may pay for before it is verified: larger pieces are not bought in v1.
pub const UNIT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How long a view of a payer's account is believed.
pub const VIEW_AGE: Duration = Duration::from_secs(10);
/// The longest session a seller takes: the vault's `MAX_SESSION`.
pub const SESSION_SECONDS_MAX: u64 = 24 * 3600;
/// How long after a grant's expiry its vouchers may be claimed: the vault's `CLAIM_WINDOW`.
pub const CLAIM_WINDOW_SECONDS: u64 = 24 * 3600;
/// A grant that runs out sooner than this is worth no trouble.
pub const SESSION_SECONDS_MIN: u64 = 60;
/// Wait after a claim that failed, so that a node that is down is not asked all the time.
pub const CLAIM_RETRY: Duration = Duration::from_secs(60);
