//! Does the jobs of payment: signs, checks signatures, stores, asks a chain's node. All of it away
//! from the driver's task, which only hands jobs out and answers in. Decides nothing about money.

mod content;
mod key;
mod node;
mod records;

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use headwater_base::{Digest256, JobId, Seed, Signature, Time, UnixTime};
use headwater_client::chain::{self, AccountQuery, ClaimOrder, ClaimTrouble, SecretKey};
use headwater_client::content::ContentKey;
use headwater_client::{Client, PayStep};
use headwater_pay::{Action, Answer, Event, Input, JobFailure, Promise, Record, RecordError};
use headwater_wire::extended::{ContentId, SEALED_LEN};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};

pub use content::ContentKeys;
pub use key::{KeyFileError, open_key};
pub use node::{BadNode, Node, Unknown};
use records::Change;
pub use records::{Records, RecordsError, read_records};

/// How often payment is told the date; it wants it once a minute.
const DATE_EVERY: Duration = Duration::from_secs(20);

/// Answers that may wait.
const ANSWERS_MAX: usize = 256;

/// Changes of records that are written together.
const CHANGES_MAX: usize = 256;

/// How long a claim rests that cost its fee and brought nothing.
const REST: Duration = Duration::from_secs(3600);

/// Longest wait at the end for what is being stored.
const END_TIME_MAX: Duration = Duration::from_secs(2);

/// What payment is given to work with.
pub struct Purse {
    /// Where its records lie.
    pub records: Records,
    /// What they say.
    pub restored: Vec<Record>,
    /// Who answers for the chain.
    pub node: Node,
    /// Pays the fees of claims; nothing is claimed without it.
    pub claim_key: Option<SecretKey>,
    /// Signs vouchers; nothing is bought without it.
    pub session_key: Option<SecretKey>,
    /// Where keys of contents are; none is sold or bought without it.
    pub content_keys: Option<ContentKeys>,
}

/// What payment tells.
#[derive(Clone, Debug)]
pub enum PayNews {
    /// Something happened to money.
    Told(Event),
    /// A claim was not brought to an end.
    Unclaimed(ClaimTrouble),
    /// The node told nothing of a payer.
    Unknown(String),
    /// A record could not be written.
    Unstored(String),
}

/// The shell's part of payment.
pub(super) struct Paying {
    tools: Arc<Tools>,
    changes: mpsc::UnboundedSender<(Change, Option<JobId>)>,
    writer: JoinHandle<()>,
    tasks: JoinSet<()>,
    answers: mpsc::Receiver<Said>,
    dates: Interval,
}

/// An answer to a job, or something to tell.
pub(super) enum Said {
    /// For payment.
    Input(Input),
    /// For whoever listens.
    News(PayNews),
}

/// What jobs share.
struct Tools {
    node: Node,
    claim_key: Option<SecretKey>,
    session_key: Option<SecretKey>,
    content_keys: Option<ContentKeys>,
    answer: mpsc::Sender<Said>,
    /// When claims of a session cost a fee for nothing.
    failed: Mutex<BTreeMap<Digest256, Instant>>,
}

impl Paying {
    /// Goes on with what was stored. Must be called before payment hears anything else.
    pub(super) fn start(
        purse: Purse,
        client: &mut Client,
        now: Time,
        seed: &Seed,
    ) -> Result<Self, RecordError> {
        let restored: Vec<_> = purse.restored.iter().map(Record::encode).collect();
        client.restore_pay(seed, restored.iter().map(Vec::as_slice))?;
        client.handle_pay(now, Input::Clock(today()));
        let (answer, answers) = mpsc::channel(ANSWERS_MAX);
        // Payment hands out a bounded number of jobs, so that nothing piles up here.
        let (changes, waiting) = mpsc::unbounded_channel();
        let writer = tokio::spawn(write(purse.records, waiting, answer.clone()));
        let mut dates = interval(DATE_EVERY);
        dates.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let tools = Tools {
            node: purse.node,
            claim_key: purse.claim_key,
            session_key: purse.session_key,
            content_keys: purse.content_keys,
            answer,
            failed: Mutex::default(),
        };
        let (tools, tasks) = (Arc::new(tools), JoinSet::new());
        Ok(Self { tools, changes, writer, tasks, answers, dates })
    }

    /// What comes next: an answer, or the date. Never for a shell that does not pay.
    pub(super) async fn next(paying: &mut Option<Self>) -> Said {
        let Some(Self { answers, dates, .. }) = paying else { return pending().await };
        tokio::select! {
            Some(said) = answers.recv() => said,
            _ = dates.tick() => Said::Input(Input::Clock(today())),
        }
    }

    /// What has come and waits.
    pub(super) fn waiting(&mut self) -> Option<Said> {
        self.answers.try_recv().ok()
    }

    /// Does one thing that payment wants; answers what is to be told.
    pub(super) fn act(&mut self, step: PayStep) -> Option<PayNews> {
        let action = match step {
            PayStep::Tell(event) => return Some(PayNews::Told(event)),
            PayStep::Do(action) => action,
        };
        while self.tasks.try_join_next().is_some() {}
        match action {
            Action::Store { job, key, bytes } => self.change(Change::Store(key, bytes), Some(job)),
            Action::Forget(key) => self.change(Change::Forget(key), None),
            Action::Sign { job, voucher } => self.compute(job, move |tools| {
                let signed = tools.session_key.as_ref().map(|key| chain::sign(key, &voucher));
                signed.map_or(Answer::Failed(JobFailure::Refused), Answer::Signed)
            }),
            Action::Verify { job, of, sig } => {
                self.compute(job, move |_| Answer::Verified(chain::recover(&of, &sig)));
            }
            Action::ViewAccount { job, rail, grant, payee } => {
                let query = AccountQuery::new(rail, grant, payee);
                let tools = Arc::clone(&self.tools);
                self.tasks.spawn(async move {
                    let answer = match tools.node.account(query).await {
                        Ok(view) => Answer::AccountSeen(view),
                        Err(why) => {
                            tools.tell(PayNews::Unknown(why.to_string())).await;
                            Answer::Failed(JobFailure::Unreachable)
                        }
                    };
                    tools.answer(job, answer).await;
                });
            }
            Action::SubmitClaim { job, voucher, grant_sig, sig } => {
                let order = ClaimOrder { voucher: *voucher, grant_sig, sig };
                let tools = Arc::clone(&self.tools);
                self.tasks.spawn(async move {
                    let answer = tools.claim(order).await;
                    tools.answer(job, answer).await;
                });
            }
            Action::Seal { job, content, voucher, sig } => self.compute(job, move |tools| {
                let sealed = tools.seal(content, &voucher, &sig);
                sealed.map_or(Answer::Failed(JobFailure::Refused), Answer::Sealed)
            }),
            Action::Unseal { job, content, sealed } => {
                self.compute(job, move |tools| tools.unseal(content, &sealed));
            }
            // The client does these itself.
            Action::Send { .. } | Action::Weight { .. } | Action::Allowance { .. } => {}
        }
        None
    }

    fn change(&self, change: Change, job: Option<JobId>) {
        // The writer ends with its sender, which is ours.
        let _ = self.changes.send((change, job));
    }

    /// Works something out on a thread that may take its time.
    fn compute(&mut self, job: JobId, work: impl FnOnce(&Tools) -> Answer + Send + 'static) {
        let tools = Arc::clone(&self.tools);
        self.tasks.spawn(async move {
            let worker = Arc::clone(&tools);
            let answer = spawn_blocking(move || work(&worker)).await;
            tools.answer(job, answer.unwrap_or(Answer::Failed(JobFailure::Refused))).await;
        });
    }

    /// Has what is to be stored written; the rest is given up, and goes on at the next start.
    pub(super) async fn finish(&mut self) {
        self.tasks.abort_all();
        self.answers.close();
        let (last, _) = mpsc::unbounded_channel();
        // The writer ends when its queue is empty and nobody can add to it.
        drop(core::mem::replace(&mut self.changes, last));
        let _ = timeout(END_TIME_MAX, &mut self.writer).await;
    }
}

impl Tools {
    async fn tell(&self, news: PayNews) {
        // The driver may have ended.
        let _ = self.answer.send(Said::News(news)).await;
    }

    async fn answer(&self, job: JobId, answer: Answer) {
        let _ = self.answer.send(Said::Input(Input::Answered { job, answer })).await;
    }

    /// Seals the key of a content; nothing where there is none that can be read.
    fn seal(
        &self,
        content: ContentId,
        voucher: &Promise,
        sig: &Signature,
    ) -> Option<[u8; SEALED_LEN]> {
        let key = self.content_keys.as_ref()?.read(content).ok()??;
        let mut random = [0; 32];
        getrandom::fill(&mut random).ok()?;
        key.seal(voucher, sig, &random).ok()
    }

    /// Opens the key of a content, and keeps it.
    fn unseal(&self, content: ContentId, sealed: &[u8; SEALED_LEN]) -> Answer {
        let (Some(session), Some(keys)) = (&self.session_key, &self.content_keys) else {
            return Answer::Failed(JobFailure::Refused);
        };
        let Some(key) = ContentKey::unseal(session, content, sealed) else {
            return Answer::Opened(false);
        };
        match keys.keep(&key) {
            Ok(()) => Answer::Opened(true),
            Err(_) => Answer::Failed(JobFailure::Unreachable),
        }
    }

    async fn claim(&self, order: ClaimOrder) -> Answer {
        let session = chain::session(&order.voucher.grant);
        let Some(key) = &self.claim_key else { return Answer::Failed(JobFailure::Refused) };
        if self.rests(&session) {
            return Answer::Failed(JobFailure::Reverted);
        }
        // Its bytes are those of a key, so that they are again.
        let Ok(key) = SecretKey::from_bytes(&key.to_bytes()) else {
            return Answer::Failed(JobFailure::Refused);
        };
        let (answer, trouble) = self.node.claim(key, order).await;
        if let Some(trouble) = trouble {
            if trouble.cost_a_fee() {
                self.failed().insert(session, Instant::now());
            }
            self.tell(PayNews::Unclaimed(trouble)).await;
        }
        answer
    }

    fn rests(&self, session: &Digest256) -> bool {
        self.failed().get(session).is_some_and(|since| since.elapsed() < REST)
    }

    fn failed(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest256, Instant>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what is to be stored, in order, what waits together: one wait for the disk serves all.
async fn write(
    records: Records,
    mut waiting: mpsc::UnboundedReceiver<(Change, Option<JobId>)>,
    answer: mpsc::Sender<Said>,
) {
    let records = Arc::new(records);
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, CHANGES_MAX).await > 0 {
        let (changes, jobs): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let writer = Arc::clone(&records);
        let written = spawn_blocking(move || writer.apply(&changes)).await;
        let written = written.map_err(std::io::Error::other).and_then(|written| written);
        let result = match written {
            Ok(()) => Answer::Stored,
            Err(why) => {
                let _ = answer.send(Said::News(PayNews::Unstored(why.to_string()))).await;
                Answer::Failed(JobFailure::Unreachable)
            }
        };
        for job in jobs.into_iter().flatten() {
            let said = Said::Input(Input::Answered { job, answer: result });
            let _ = answer.send(said).await;
        }
    }
}

/// The date.
#[expect(clippy::disallowed_methods, reason = "the one place where payment's date enters")]
fn today() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime(since.as_secs())
}
