//! What payment asks of its shell: actions to do, events to hear, and when to come back.

use bytes::Bytes;
use headwater_base::{Address, Amount, JobId, LinkId, Signature, Time};
use headwater_wire::extended::{ContentId, EndCode, Grant, Rail, RefuseCode, SEALED_LEN};

use crate::{JobFailure, RecordKey};

/// The next thing to do, or that there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The shell must do this.
    Do(Action),
    /// Somebody may want to know this.
    Tell(Event),
    /// Nothing until an input comes, or until then.
    Sleep(Option<Wake>),
}

/// When to call again, and for which timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// The deadline.
    pub at: Time,
    /// The timer it belongs to, for logs and tests.
    pub why: &'static str,
}

/// What a session key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Promise {
    /// Where it may be claimed.
    pub rail: Rail,
    /// The session it belongs to.
    pub grant: Grant,
    /// Who may claim it.
    pub payee: Address,
    /// All that is promised to the payee in the session.
    pub amount: Amount,
}

/// What a signature is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// The owner's grant.
    Grant {
        /// The vault it is for.
        rail: Rail,
        /// The grant.
        grant: Grant,
    },
    /// A voucher of the session key.
    Voucher(Promise),
}

/// Something for the shell to do. Those with a job are answered by an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send a message of `btt_pay`, in order with the blocks of the link.
    Send {
        /// Over which link.
        link: LinkId,
        /// The payload.
        payload: Bytes,
    },
    /// Sign a voucher with the session key.
    Sign {
        /// The job.
        job: JobId,
        /// The voucher.
        voucher: Box<Promise>,
    },
    /// Find out who signed.
    Verify {
        /// The job.
        job: JobId,
        /// What is signed.
        of: Box<Signed>,
        /// The signature.
        sig: Signature,
    },
    /// Store a record in place of the one with the same key, so that it survives a crash, and after
    /// all that was to be stored before.
    Store {
        /// The job.
        job: JobId,
        /// Its key.
        key: RecordKey,
        /// The record.
        bytes: Vec<u8>,
    },
    /// Remove a record. No answer.
    Forget(RecordKey),
    /// Ask the vault about a payer's account.
    ViewAccount {
        /// The job.
        job: JobId,
        /// The vault.
        rail: Rail,
        /// The session, which names the owner.
        grant: Grant,
        /// Who would claim.
        payee: Address,
    },
    /// Submit a claim to the vault.
    SubmitClaim {
        /// The job.
        job: JobId,
        /// The voucher.
        voucher: Box<Promise>,
        /// The owner's signature of the grant.
        grant_sig: Signature,
        /// The session key's signature of the voucher.
        sig: Signature,
    },
    /// Seal the key of a content for the session key, which the voucher's signature tells.
    Seal {
        /// The job.
        job: JobId,
        /// The content.
        content: ContentId,
        /// What is signed.
        voucher: Box<Promise>,
        /// The session key's signature of it.
        sig: Signature,
    },
    /// Open a content's key with the session key, test it by the content's name, and keep it.
    Unseal {
        /// The job.
        job: JobId,
        /// The content.
        content: ContentId,
        /// The key, sealed.
        sealed: [u8; SEALED_LEN],
    },
    /// Share of upload that a link gets among the links with paid slots, in millionths. A link
    /// with any holds a paid slot; at 0 it goes back to the ordinary choker.
    Weight {
        /// Which link.
        link: LinkId,
        /// Its share, in proportion to its bid.
        weight: u32,
    },
    /// How far paid bytes may go: all bytes ever told by `BytesSent` for this link while an award
    /// stood, and those to come, may add up to this.
    Allowance {
        /// Which link.
        link: LinkId,
        /// The sum.
        bytes: u64,
    },
}

/// Why payment over a link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The peer said so.
    Peer(EndCode),
    /// We said so.
    Ours(EndCode),
    /// What was bought was bad.
    BadBytes,
    /// Something on our side failed.
    Job(JobFailure),
    /// The link closed.
    Closed,
}

/// Why a content's key was not bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// Payment is off, or the grant ran out.
    Off,
    /// The session pays another way.
    Rail,
    /// A cap that the user set leaves too little.
    Cap,
    /// More is wanted at once than there is room for.
    Busy,
    /// The seller said so.
    Denied(RefuseCode),
    /// Nobody who sells it was met, or nobody answered.
    Silent,
    /// What came is not the key. Nothing more is asked of that seller.
    WrongKey,
    /// Something on our side failed.
    Job(JobFailure),
}

/// Something somebody may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A promise is stored.
    Bought {
        /// The link it is for.
        link: LinkId,
        /// Bytes it is for, the earlier promises of the link not counted.
        bytes: u64,
        /// What they come to.
        amount: Amount,
    },
    /// A voucher is stored.
    Earned {
        /// The link it came over.
        link: LinkId,
        /// By how much it is more than the one before.
        amount: Amount,
    },
    /// The price of a content's key is promised; that is stored, and not done again in the session.
    ContentPaid {
        /// The content.
        content: ContentId,
        /// The price.
        amount: Amount,
    },
    /// A content's key came and is kept.
    KeyCame {
        /// The content.
        content: ContentId,
    },
    /// A content's key is not bought. What was promised for it stays promised, and buys it when
    /// the user asks again in the same session.
    NotBought {
        /// The content.
        content: ContentId,
        /// Why.
        why: WhyNot,
    },
    /// A content's key was given.
    KeySold {
        /// Where it was paid.
        rail: Rail,
        /// Who has it.
        owner: Address,
        /// The content.
        content: ContentId,
        /// What was paid for it now; nothing where it was bought before.
        amount: Amount,
    },
    /// The price over a link is new.
    PriceChanged {
        /// Which link.
        link: LinkId,
        /// The price of a MiB.
        price: Amount,
    },
    /// A seller took no bid.
    Refused {
        /// Whose link.
        link: LinkId,
        /// Why.
        code: RefuseCode,
    },
    /// Payment over a link ended; the link goes on.
    PaymentEnded {
        /// Which link.
        link: LinkId,
        /// Why.
        why: Why,
    },
    /// A cap the user set is used up.
    CapReached {
        /// What was promised under it.
        amount: Amount,
    },
    /// The grant has run out: no more can be bought with it.
    GrantExpired,
    /// A payer's deposit does not cover what it promised or would promise.
    Insolvent {
        /// Where its deposit is.
        rail: Rail,
        /// The payer.
        owner: Address,
        /// What is free of its deposit.
        free: Amount,
        /// What it must cover.
        exposure: Amount,
    },
    /// A claim paid less than promised. Its payer is remembered and sold nothing.
    Overissued {
        /// Where it was to be paid.
        rail: Rail,
        /// The payer.
        owner: Address,
        /// What was promised and is not paid.
        lost: Amount,
    },
    /// A claim is final.
    Claimed {
        /// By how much more than before.
        amount: Amount,
    },
    /// A claim failed. It is tried again.
    ClaimFailed {
        /// Why.
        why: JobFailure,
    },
}
