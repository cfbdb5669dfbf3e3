//! What may happen to payment: switches, links, bytes, messages, and the answers to jobs.

use bytes::Bytes;
use headwater_base::{Address, Amount, JobId, LinkId, Signature, UnixTime};
use headwater_wire::extended::{ContentId, Grant, Rail, SEALED_LEN};

/// What a user lets this client spend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buying {
    /// Where the deposit is.
    pub rail: Rail,
    /// What the wallet granted to the session key.
    pub grant: Grant,
    /// The wallet's signature of it.
    pub grant_sig: Signature,
    /// The most paid for a MiB.
    pub price_max: Amount,
    /// The most paid over one link.
    pub link_cap: Amount,
    /// The most paid in the session, whatever the grant allows.
    pub session_cap: Amount,
}

/// An encrypted content whose key a user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The content.
    pub content: ContentId,
    /// What its key costs.
    pub price: Amount,
    /// Who is paid.
    pub payee: Address,
    /// How.
    pub rail: Rail,
}

/// What a user sells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selling {
    /// The rails it takes, the liked ones first.
    pub rails: Vec<Rail>,
    /// Who is paid.
    pub payee: Address,
    /// The least taken for a MiB.
    pub price: Amount,
    /// All upload slots there are.
    pub slots: usize,
    /// How many of them may be sold; half of all are the most that ever are. With none, only the
    /// keys of contents are sold.
    pub paid_slots: usize,
    /// Bytes given before the first voucher.
    pub credit: u64,
    /// The most one payer may have promised and not settled on the chain.
    pub max_unsecured: Amount,
    /// What a claim costs, in the token.
    pub claim_fee: Amount,
    /// A claim is worth it from so many fees on; 20 makes its cost 5 %.
    pub claim_factor: u32,
    /// The contents whose keys are sold, and what each costs.
    pub contents: Vec<(ContentId, Amount)>,
}

/// What the vault says of a payer, for one session and payee.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountView {
    /// The owner's deposit.
    pub balance: Amount,
    /// What of it is locked for other payees.
    pub reserved: Amount,
    /// What of it is on its way out.
    pub exiting: Amount,
    /// When that may leave.
    pub exit_at: UnixTime,
    /// What the session's vouchers have taken, whoever claimed.
    pub spent: Amount,
    /// What this payee has claimed of the session.
    pub claimed: Amount,
}

/// Why a job has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobFailure {
    /// There is no key, or its holder will not.
    Refused,
    /// What must answer does not: a disk, a node.
    Unreachable,
    /// The chain took the transaction and undid it.
    Reverted,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The date, at least once a minute while anything is switched on.
    Clock(UnixTime),
    /// The user lets this client pay. Off until then.
    BuyingOn(Box<Buying>),
    /// The kill switch: everything ends at once, and nothing more is promised.
    BuyingOff,
    /// The user wants a content's key, once. It is bought over whatever link leads to its payee;
    /// an event tells what came of it.
    BuyContent(Wanted),
    /// The user sells slots, or keys of contents. Off until then.
    SellingOn(Box<Selling>),
    /// The user sells no more. What is promised stays and is claimed.
    SellingOff,
    /// A peer said in its extension handshake that it takes part.
    LinkOpened {
        /// Its link.
        link: LinkId,
        /// Its terms, as they came.
        terms: Bytes,
    },
    /// A link is gone.
    LinkClosed(LinkId),
    /// A message of `btt_pay` came.
    Message {
        /// Over which link.
        link: LinkId,
        /// Its payload.
        payload: Bytes,
    },
    /// Whether this peer's bytes are worth money. The user asked for priority of a torrent, and
    /// this peer, which has what is wanted, chokes us or is slow.
    Wants {
        /// The peer's link.
        link: LinkId,
        /// Whether they are; when not, payment over the link is finished.
        urgent: bool,
        /// Bytes that are verified at once: a block in v2, a piece in v1.
        unit: u64,
    },
    /// A peer chokes us or stopped doing so.
    Served {
        /// Its link.
        link: LinkId,
        /// Whether it serves us.
        unchoked: bool,
    },
    /// Bytes of blocks came. Told before the message that followed them on the link.
    BytesReceived {
        /// Over which link.
        link: LinkId,
        /// How many.
        bytes: u64,
    },
    /// Bytes that came while [`crate::Pay::is_charged`] were found good.
    BytesVerified {
        /// Over which link they came.
        link: LinkId,
        /// How many.
        bytes: u64,
    },
    /// Bytes that a peer sent were found bad.
    BytesBad(LinkId),
    /// Bytes of blocks were sent. They are charged only while an award stands.
    BytesSent {
        /// Over which link.
        link: LinkId,
        /// How many.
        bytes: u64,
    },
    /// Whether a peer wants something of us.
    Interest {
        /// Its link.
        link: LinkId,
        /// Whether it does.
        interested: bool,
    },
    /// Whether a peer gives us as much as its slot is worth.
    Reciprocates {
        /// Its link.
        link: LinkId,
        /// Whether it does.
        enough: bool,
    },
    /// A job was answered.
    Answered {
        /// The job.
        job: JobId,
        /// How.
        answer: Answer,
    },
}

/// The answer to a job. One of another kind than the job counts as a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The session key signed.
    Signed(Signature),
    /// A signature was looked at: who signed, or nobody when it is no signature with a low `s`.
    Verified(Option<Address>),
    /// A record is stored and survives a crash.
    Stored,
    /// The vault told of an account.
    AccountSeen(AccountView),
    /// A claim is final on the chain: all that this session has paid to the payee.
    ClaimDone(Amount),
    /// The key of a content is sealed.
    Sealed([u8; SEALED_LEN]),
    /// What came sealed was opened: whether it is the content's key, which is kept then.
    Opened(bool),
    /// The job has no result.
    Failed(JobFailure),
}
