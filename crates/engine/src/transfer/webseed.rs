//! Web seeds (BEP 19): servers that are asked for runs of pieces over HTTP. They act as peers do
//! towards the picker and towards blame, and stand back while peers do well.

mod head;
mod run;
mod server;
mod url;

use headwater_base::{BLOCK_LEN, Bitfield, JobId, LinkId, PeerId, PieceIndex, Time};

use super::{Stage, Transfer};
use crate::bucket::{Bucket, Gate};
use crate::desk::{Desk, Job};
use crate::meter::Meter;
use crate::picker::{Picker, RunAsker};
use crate::timer::Timer;
use crate::{Action, FetchRange, Input, Warning, WebSeed, WebSeedTrouble, WebSeedView, limit};
use run::Run;
use server::Server;

/// The web seeds of one torrent.
#[derive(Default)]
pub(super) struct WebSeeds {
    servers: Vec<Server>,
    /// What all of them sent.
    fetched: Meter,
}

impl WebSeeds {
    pub(super) fn links(&self) -> impl Iterator<Item = LinkId> + '_ {
        self.servers.iter().filter(|server| !server.out).map(|server| server.link)
    }

    pub(super) fn views(&self, now: Time) -> Vec<WebSeedView> {
        self.servers.iter().map(|server| server.view(now)).collect()
    }

    /// Says that nobody waits for a block any more. A run left without any ends when it is heard.
    pub(super) fn forget(&mut self, link: LinkId, at: crate::picker::BlockAt) {
        if let Some(server) = self.server(link) {
            let _ = server.runs.iter_mut().any(|run| run.forget(at));
        }
    }

    fn server(&mut self, link: LinkId) -> Option<&mut Server> {
        self.servers.iter_mut().find(|server| server.link == link)
    }

    fn run(&mut self, link: LinkId, job: JobId) -> Option<&mut Run> {
        self.server(link)?.runs.iter_mut().find(|run| run.job == Some(job))
    }
}

impl Transfer {
    /// Takes web seeds it lacks.
    pub(super) fn add_web_seeds(&mut self, desk: &mut Desk, seeds: Vec<WebSeed>) {
        for seed in seeds {
            if let Some(known) = self.web.servers.iter_mut().find(|known| known.url == seed.url) {
                known.trusted |= seed.trusted;
                continue;
            }
            let count = self.web.servers.len();
            if count >= limit::WEB_SEEDS_MAX {
                break;
            }
            let limit = desk.config.peer_download_limit;
            if let Some(mut server) = Server::new(seed, count, limit) {
                server.out = self.blame.is_banned(server.id);
                self.web.servers.push(server);
            }
        }
        self.settle_web_seeds(desk);
    }

    /// Believes that every web seed has everything, once that can be counted.
    pub(super) fn settle_web_seeds(&mut self, desk: &mut Desk) {
        let Some(count) = self.picker.as_ref().map(Picker::count) else { return };
        for server in &mut self.web.servers {
            if server.has.len() != count {
                server.has = Bitfield::full(count);
            }
        }
        self.kick_web_seeds(desk);
    }

    /// Forgets troubles that a pause may have mended.
    pub(super) fn forgive_web_seeds(&mut self) {
        let count = self.picker.as_ref().map_or(0, Picker::count);
        for server in &mut self.web.servers {
            server.forgive(count);
        }
    }

    /// Has every web seed looked at for things to ask.
    pub(super) fn kick_web_seeds(&self, desk: &mut Desk) {
        desk.kicks.extend(self.web.links().map(|link| (self.id, link)));
    }

    /// Whether `link` is no link but a web seed.
    pub(super) fn is_web_seed(link: LinkId) -> bool {
        Server::is_named(link)
    }

    /// Asks a web seed for as much as there is use for.
    pub(super) fn ask_web_seed(&mut self, desk: &mut Desk, link: LinkId) {
        let wanting = self.picker.as_ref().is_some_and(|picker| !picker.is_done());
        if !self.is_active() || self.stage != Stage::Running || !wanting {
            return;
        }
        while self.may_ask_web_seed(desk, link) && self.start_run(desk, link) {}
        let again = self.web.server(link).map_or(desk.now, |server| server.again);
        desk.timers.sooner(Timer::WebSeeds(self.id), again.max(desk.now + limit::WEB_ROUND));
    }

    fn may_ask_web_seed(&mut self, desk: &mut Desk, link: LinkId) -> bool {
        let busy = self.web.servers.iter().filter(|server| !server.runs.is_empty()).count();
        let Some(server) = self.web.server(link) else { return false };
        let others = busy - usize::from(!server.runs.is_empty());
        // One run shows what a server is like; more follow once it sent something.
        let runs_max = if server.fetched.total() == 0 { 1 } else { limit::WEB_RUNS_MAX };
        !server.out
            && server.again <= desk.now
            && server.runs.len() < runs_max
            && others < limit::WEB_SEEDS_BUSY_MAX
            && desk.fetches < limit::FETCHES_MAX
    }

    /// Whether web seeds only fill the gaps that peers leave.
    fn web_seeds_rest(&self, desk: &Desk) -> bool {
        let all = self.fetched.rate(desk.now);
        let peers = all.saturating_sub(self.web.fetched.rate(desk.now));
        let reading = self.picker.as_ref().is_some_and(Picker::has_deadlines);
        // What a limit leaves free is free for them; the rest is the peers'.
        let limits = [desk.config.download_limit, self.pace.download.rate()];
        let full = limits.into_iter().flatten().any(|most| all >= most / 8 * 7);
        peers >= limit::WEB_REST_RATE || (peers > 0 && (reading || full))
    }

    /// Starts a run; false when there is none.
    fn start_run(&mut self, desk: &mut Desk, link: LinkId) -> bool {
        let only_gaps = self.web_seeds_rest(desk);
        let (Some(picker), Some(metainfo)) = (&mut self.picker, &self.metainfo) else {
            return false;
        };
        let Some(server) = self.web.server(link) else { return false };
        let room = server.room(desk.now, metainfo.piece_length, picker.has_deadlines());
        let own = &mut self.pace.download;
        let Some(room) = paid_room(server, desk, (self.id, own), room) else { return false };
        let before = |span| Time::ZERO + desk.now.since(Time::ZERO + span);
        let blocks = picker.pick_run(&RunAsker {
            link,
            has: &server.has,
            room,
            now: desk.now,
            late_before: before(limit::URGENT_PATIENCE),
            owed_before: before(limit::WEB_LATE),
            only_gaps,
            cursor: server.cursor,
        });
        let Some(last) = blocks.last() else { return false };
        server.cursor = PieceIndex(last.piece.0 + 1);
        server.gate = Gate::Unpaid;
        let lens = blocks.iter().filter_map(|at| Some((*at, picker.block_len(*at)?)));
        let run = Run::new(metainfo, &lens.collect::<Vec<_>>(), desk.now);
        self.go_on(desk, link, run);
        true
    }

    /// Fetches the next part of a run, padding aside. A run without parts is over.
    fn go_on(&mut self, desk: &mut Desk, link: LinkId, mut run: Run) {
        static ZEROS: [u8; BLOCK_LEN as usize] = [0; BLOCK_LEN as usize];
        while let Some(part) = run.part() {
            let Some(file) = part.file else {
                let len = run.owed().min(ZEROS.len() as u64) as usize;
                let blocks = run.feed(bytes::Bytes::from_static(&ZEROS[..len]));
                if run.owed() == 0 {
                    run.next_part();
                }
                self.take_web_blocks(desk, link, blocks);
                continue;
            };
            let Some(server) = self.web.server(link) else { return };
            let url = self.metainfo.as_ref().and_then(|of| url::of_file(&server.url, of, file));
            let Some(url) = url.filter(|_| !server.out) else {
                self.give_up(desk, link, run);
                return;
            };
            let job = desk.job(self.id, Job::Fetch { link });
            desk.fetches += 1;
            run.job = Some(job);
            let trusted = server.trusted || desk.config.local_web_seeds;
            server.runs.push(run);
            let (start, end) = (part.start, part.end);
            desk.act(Action::FetchRange(FetchRange { job, url, start, end, trusted }));
            return;
        }
        if let Some(server) = self.web.server(link) {
            server.succeeded();
        }
        desk.kicks.insert((self.id, link));
    }

    fn take_web_blocks(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        blocks: Vec<(crate::picker::BlockAt, bytes::Bytes)>,
    ) {
        let Some(id) = self.web.server(link).map(|server| server.id) else { return };
        for (at, bytes) in blocks {
            self.take_block(desk, at, (link, id), &bytes);
        }
    }

    /// Takes news of a fetch.
    pub(crate) fn fetch_news(&mut self, desk: &mut Desk, link: LinkId, news: Input) {
        if let Input::RangeAnswered { job, head } = news {
            self.answered_by(desk, link, job, &head);
        } else if let Input::RangeBytes { job, bytes } = news {
            self.bytes_from(desk, link, job, bytes);
        } else if let Input::RangeFetched { job, result } = news
            && let Some(mut run) = self.take_run(desk, link, job)
        {
            match result {
                Ok(()) if run.answered && run.owed() == 0 => {
                    run.next_part();
                    self.go_on(desk, link, run);
                }
                Ok(()) => self.failed_by(desk, link, run, WebSeedTrouble::TooShort, None),
                Err(why) => self.failed_by(desk, link, run, why.into(), None),
            }
        }
    }

    fn answered_by(&mut self, desk: &mut Desk, link: LinkId, job: JobId, head: &crate::RangeHead) {
        let Some(run) = self.web.run(link, job) else { return };
        let Some(part) = run.part() else { return };
        run.heard = desk.now;
        let file = part.file.zip(self.metainfo.as_ref());
        let length = file.and_then(|(file, of)| Some(of.files.get(file)?.length.0));
        match head::check(head, (part.start, part.end), length.unwrap_or(0)) {
            Ok(()) => run.answered = true,
            Err(trouble) => self.break_off(desk, link, job, trouble, head.retry_after),
        }
    }

    fn bytes_from(&mut self, desk: &mut Desk, link: LinkId, job: JobId, bytes: bytes::Bytes) {
        let Some(run) = self.web.run(link, job) else { return };
        let len = bytes.len() as u64;
        if !run.answered || len > run.owed() {
            self.wasted += len;
            self.break_off(desk, link, job, WebSeedTrouble::TooLong, None);
            return;
        }
        run.heard = desk.now;
        let blocks = run.feed(bytes);
        let idle = run.wanted().next().is_none() && blocks.is_empty() && run.owed() > 0;
        if let Some(server) = self.web.server(link) {
            server.fetched.add(desk.now, len);
        }
        self.web.fetched.add(desk.now, len);
        self.take_web_blocks(desk, link, blocks);
        if idle && let Some(run) = self.cancel_run(desk, link, job) {
            // Others were quicker with all that was left of it.
            self.give_up(desk, link, run);
        }
    }

    /// Cancels a fetch whose server does what it must not.
    fn break_off(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        job: JobId,
        trouble: WebSeedTrouble,
        wait: Option<u64>,
    ) {
        if let Some(run) = self.cancel_run(desk, link, job) {
            self.failed_by(desk, link, run, trouble, wait);
        }
    }

    /// Judges a failure: some pass, some concern one file, the others end the web seed.
    fn failed_by(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        run: Run,
        trouble: WebSeedTrouble,
        wait: Option<u64>,
    ) {
        let file = run.part().and_then(|part| part.file);
        self.give_up(desk, link, run);
        let Some(server) = self.web.server(link) else { return };
        let is_news = server.trouble.as_ref() != Some(&trouble);
        let status = matches!(trouble, WebSeedTrouble::Status(_));
        if trouble.passes() {
            server.back_off(desk.now, wait, &mut desk.rng);
        } else if let (true, Some(file), Some(metainfo)) = (status, file, &self.metainfo) {
            for piece in metainfo.file_pieces(file) {
                server.has.clear(PieceIndex(piece));
            }
            server.out = server.has.count() == 0;
        } else {
            server.out = true;
        }
        let (url, is_resting) = (server.url.clone(), server.out || trouble.passes());
        server.trouble = Some(trouble.clone());
        if is_news {
            desk.warn(self.id, Warning::WebSeed { url, trouble });
        }
        if is_resting {
            self.stop_web_seed(desk, link);
        }
        self.kick_all(desk);
    }

    /// Waits no more for the blocks of a run that is under way no more.
    fn give_up(&mut self, desk: &mut Desk, link: LinkId, run: Run) {
        let Some(picker) = &mut self.picker else { return };
        let mut is_free = false;
        for at in run.wanted() {
            is_free |= picker.release(at, link);
        }
        picker.disown(link);
        if is_free {
            self.kick_all(desk);
        }
        desk.kicks.insert((self.id, link));
    }

    /// Takes a run off its server, its fetch being over.
    fn take_run(&mut self, desk: &mut Desk, link: LinkId, job: JobId) -> Option<Run> {
        if desk.jobs.remove(&job).is_some() {
            desk.fetches -= 1;
        }
        let server = self.web.server(link)?;
        let at = server.runs.iter().position(|run| run.job == Some(job))?;
        Some(server.runs.remove(at))
    }

    fn cancel_run(&mut self, desk: &mut Desk, link: LinkId, job: JobId) -> Option<Run> {
        let run = self.take_run(desk, link, job)?;
        desk.act(Action::CancelFetch(job));
        Some(run)
    }

    /// Gives up everything asked of a web seed.
    fn stop_web_seed(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(server) = self.web.server(link) else { return };
        let jobs: Vec<JobId> = server.runs.iter().filter_map(|run| run.job).collect();
        for job in jobs {
            if let Some(run) = self.cancel_run(desk, link, job) {
                self.give_up(desk, link, run);
            }
        }
    }

    /// Gives up everything asked of web seeds.
    pub(super) fn stop_web_seeds(&mut self, desk: &mut Desk) {
        let links: Vec<LinkId> = self.web.servers.iter().map(|server| server.link).collect();
        for link in links {
            self.stop_web_seed(desk, link);
            desk.kicks.remove(&(self.id, link));
        }
        desk.timers.clear(Timer::WebSeeds(self.id));
    }

    /// Gives up runs that nobody reading waits for, to make room for what somebody does.
    pub(super) fn drop_unawaited_runs(&mut self, desk: &mut Desk) {
        let Some(picker) = &self.picker else { return };
        let is_vain = |run: &&Run| !run.wanted().any(|at| picker.is_awaited(at.piece));
        let vain: Vec<(LinkId, JobId)> = self
            .web
            .servers
            .iter()
            .flat_map(|server| {
                let runs = server.runs.iter().filter(is_vain);
                runs.filter_map(|run| Some((server.link, run.job?)))
            })
            .collect();
        for (link, job) in vain {
            if let Some(run) = self.cancel_run(desk, link, job) {
                self.give_up(desk, link, run);
            }
        }
    }

    /// Refuses every web seed on the server that sent wrong bytes. False when none is there.
    pub(super) fn ban_web_seed(&mut self, desk: &mut Desk, id: PeerId, piece: PieceIndex) -> bool {
        let mut found = false;
        for at in 0..self.web.servers.len() {
            let server = &mut self.web.servers[at];
            if server.id != id {
                continue;
            }
            found = true;
            server.out = true;
            server.trouble = Some(WebSeedTrouble::WrongData(piece));
            let (link, url) = (server.link, server.url.clone());
            let trouble = WebSeedTrouble::WrongData(piece);
            desk.warn(self.id, Warning::WebSeed { url, trouble });
            self.stop_web_seed(desk, link);
        }
        if found {
            self.blame.ban(id);
        }
        found
    }

    /// Looks for web seeds that owe too long, and for those that may be asked again.
    pub(super) fn web_seeds_due(&mut self, desk: &mut Desk) {
        let is_late = |run: &Run| {
            desk.now.since(run.heard) >= limit::WEB_SILENCE
                || desk.now.since(run.asked) >= limit::WEB_RUN_PATIENCE
        };
        let late: Vec<(LinkId, JobId)> = self
            .web
            .servers
            .iter()
            .flat_map(|server| {
                let runs = server.runs.iter().filter(|run| is_late(run));
                runs.filter_map(|run| Some((server.link, run.job?)))
            })
            .collect();
        for (link, job) in late {
            self.break_off(desk, link, job, WebSeedTrouble::TooSlow, None);
        }
        self.kick_web_seeds(desk);
    }

    /// Lets those that waited for a limit go on.
    pub(crate) fn free_web_gates(&mut self, desk: &mut Desk) {
        for server in &mut self.web.servers {
            server.gate = Gate::Unpaid;
        }
        self.kick_web_seeds(desk);
    }
}

/// How many of `room` blocks the limits allow now; else a timer tells when.
fn paid_room(
    server: &mut Server,
    desk: &mut Desk,
    (torrent, own): (headwater_base::TorrentId, &mut Bucket),
    room: usize,
) -> Option<usize> {
    let limits = [desk.config.download_limit, desk.config.peer_download_limit, own.rate()];
    let Some(least) = limits.into_iter().flatten().min() else { return Some(room) };
    // What a tenth of a second brings, so that peers which wait for the same limit get their turn.
    let room = room.min((least / 10 / u64::from(BLOCK_LEN)).max(1) as usize);
    if server.gate == Gate::Unpaid {
        let bytes = room as u64 * u64::from(BLOCK_LEN);
        let at = desk.download.pay(desk.now, bytes).max(server.download.pay(desk.now, bytes));
        server.gate = Gate::Waiting;
        server.gate_at = at.max(own.pay(desk.now, bytes));
    }
    if server.gate_at > desk.now {
        desk.timers.sooner(Timer::WebSeeds(torrent), server.gate_at);
        return None;
    }
    Some(room)
}
