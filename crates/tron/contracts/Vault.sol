// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// The calls of a TRC-20 that the vault makes. What `transfer` and `transferFrom` return is never
/// read: tokens are in use that return nothing, and one that returns false when it succeeded.
interface Token {
    function transfer(address to, uint256 amount) external;
    function transferFrom(address from, address to, uint256 amount) external;
    function balanceOf(address owner) external view returns (uint256);
}

/// Deposits of one token, out of which an owner pays many payees by vouchers signed off the chain.
///
/// An owner's wallet signs a `Grant` for a session key, capped and short-lived. The session key
/// signs a `Voucher` for each payee, of all that the payee was ever promised in that session.
/// Whoever holds a voucher may claim it; the payee's balance in the vault grows by it. A payee
/// that wants more than a promise has the session key sign a `Reserve` and locks that much.
///
/// Nobody owns the vault, nothing in it can be changed, and no call moves money that neither its
/// owner asked for nor its owner's session key promised.
contract Vault {
    struct Grant {
        address owner;
        address key;
        uint128 cap;
        uint64 expiry;
        bytes32 salt;
    }

    struct Claim {
        Grant grant;
        bytes ownerSig;
        address payee;
        uint128 amount;
        bytes keySig;
    }

    /// `balance` is all that the account has; `reserved` and `exiting` are parts of it, apart from
    /// each other. What is left after both is what new promises can count on.
    struct Account {
        uint128 balance;
        uint128 reserved;
        uint128 exiting;
        uint64 exitAt;
    }

    /// What was paid out of a grant, and what is locked for its payees besides.
    struct Session {
        uint128 spent;
        uint128 reserved;
    }

    struct Lock {
        uint128 amount;
        uint64 until;
        address owner;
    }

    event Deposited(address indexed owner, uint128 amount);
    event Claimed(
        bytes32 indexed session,
        address indexed owner,
        address indexed payee,
        uint128 paid,
        uint128 total
    );
    event Reserved(bytes32 indexed session, address indexed payee, uint128 amount);
    event Released(bytes32 indexed session, address indexed payee, uint128 amount);
    event ExitRequested(address indexed owner, uint128 amount, uint64 exitAt);
    event Exited(address indexed owner, uint128 amount);

    /// The token has no code.
    error NoToken(address token);
    /// A call came into the vault while another was under way.
    error Reentered();
    /// Coin came with a call to a vault of a token, or not as much as the call says.
    error WrongValue(uint256 sent, uint256 needed);
    /// A deposit brought nothing.
    error NothingArrived();
    /// A payment to nobody.
    error NoPayee();
    /// Not signed by `needed`, malformed, or the other of the two forms that a signature has.
    error BadSignature(address needed);
    /// Too late: the grant's time is over.
    error Expired(uint256 now_, uint256 last);
    /// Too early: the grant runs longer than a session may.
    error ExpiryTooFar(uint256 expiry, uint256 allowed);
    /// Nothing above what this payee had before.
    error Stale(uint128 amount, uint128 had);
    /// The grant's cap or the owner's balance leaves nothing for this payee.
    error NothingLeft();
    /// The lock cannot be taken off yet.
    error Locked(uint64 until);
    /// No such lock.
    error NoLock();
    /// More than the account has free.
    error TooMuch(uint128 amount, uint128 free);
    /// No exit was asked for, or nothing of it is left.
    error NoExit();
    /// The exit is not due yet.
    error ExitNotDue(uint64 exitAt);
    /// The token did not move exactly what it was told to.
    error TransferFailed();

    /// The longest that a grant may still run when it is used.
    uint64 public constant MAX_SESSION = 24 hours;
    /// How long vouchers can be claimed after their grant expired.
    uint64 public constant CLAIM_WINDOW = 24 hours;

    bytes32 private constant DOMAIN_TYPE = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 private constant NAME = keccak256("Headwater");
    bytes32 private constant VERSION = keccak256("1");
    bytes32 private constant GRANT_TYPE =
        keccak256("Grant(address owner,address key,uint128 cap,uint64 expiry,bytes32 salt)");
    bytes32 private constant VOUCHER_TYPE =
        keccak256("Voucher(bytes32 session,address payee,uint128 amount)");
    bytes32 private constant RESERVE_TYPE =
        keccak256("Reserve(bytes32 session,address payee,uint128 amount)");
    /// Half of the curve's order. Of `s` and its negative, only the lower one is taken.
    uint256 private constant HALF_ORDER =
        0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// What the vault holds; 0 is the chain's own coin.
    address public immutable token;

    mapping(address => Account) public accounts;
    /// What a payee was paid in a session, in all.
    mapping(bytes32 => mapping(address => uint128)) public claimed;
    /// What is locked for a payee in a session.
    mapping(bytes32 => mapping(address => Lock)) public reserveOf;
    mapping(bytes32 => Session) private sessions;
    /// Never 0, since to fill an empty slot costs four times as much as to change a full one.
    uint256 private entered = 1;

    /// For calls that leave the vault: no other call comes in before they end.
    modifier alone() {
        if (entered != 1) revert Reentered();
        entered = 2;
        _;
        entered = 1;
    }

    /// For calls that stay inside.
    modifier calm() {
        if (entered != 1) revert Reentered();
        _;
    }

    constructor(address token_) {
        if (token_ != address(0) && token_.code.length == 0) revert NoToken(token_);
        token = token_;
    }

    /// Adds to the caller's balance: coin that comes with the call, or tokens it approved. Credits
    /// what arrived, which is less where the token keeps a fee.
    function deposit(uint128 amount) external payable alone {
        uint256 needed = token == address(0) ? amount : 0;
        if (msg.value != needed) revert WrongValue(msg.value, needed);
        uint128 arrived = token == address(0) ? amount : _pull(amount);
        if (arrived == 0) revert NothingArrived();
        accounts[msg.sender].balance += arrived;
        emit Deposited(msg.sender, arrived);
    }

    /// Pays a voucher, as far as the cap and the owner's balance go, into the payee's balance.
    /// Anyone may call it: the voucher says who is paid.
    function claim(
        Grant calldata grant,
        bytes calldata ownerSig,
        address payee,
        uint128 amount,
        bytes calldata keySig
    ) external calm returns (uint128 paid) {
        bytes memory why;
        (paid, why) = _claim(Claim(grant, ownerSig, payee, amount, keySig));
        if (paid == 0) _fail(why);
    }

    /// Claims one after the other. One that would fail alone is passed over, so that no payer can
    /// spoil what others owe; where nothing is paid at all, the call fails.
    function claimMany(Claim[] calldata claims) external calm returns (uint128 paid) {
        for (uint256 i = 0; i < claims.length; i++) {
            (uint128 one, ) = _claim(claims[i]);
            paid += one;
        }
        if (paid == 0) revert NothingLeft();
    }

    /// Locks a part of the owner's balance and of the grant's cap for one payee, until the grant's
    /// claims end: as much as `amount` is above what the payee was paid, or as there is. Anyone
    /// may call it, and twice is once.
    function reserve(
        Grant calldata grant,
        bytes calldata ownerSig,
        address payee,
        uint128 amount,
        bytes calldata keySig
    ) external calm {
        Claim memory c = Claim(grant, ownerSig, payee, amount, keySig);
        bytes32 session = _hash(c.grant);
        bytes memory why = _refusal(c, session, RESERVE_TYPE, c.grant.expiry);
        if (why.length != 0) _fail(why);
        _lock(c, session);
    }

    /// Takes off a lock whose time is over. Anyone may call it.
    function release(bytes32 session, address payee) external calm {
        Lock memory lock = reserveOf[session][payee];
        if (lock.amount == 0) revert NoLock();
        if (block.timestamp <= lock.until) revert Locked(lock.until);
        delete reserveOf[session][payee];
        sessions[session].reserved -= lock.amount;
        accounts[lock.owner].reserved -= lock.amount;
        emit Released(session, payee, lock.amount);
    }

    /// Announces that the caller takes out so much, once every grant that runs has been claimed.
    /// Replaces what was announced before, and its date; 0 takes it back.
    function requestExit(uint128 amount) external calm {
        Account storage account = accounts[msg.sender];
        uint128 free = account.balance - account.reserved;
        if (amount > free) revert TooMuch(amount, free);
        uint64 exitAt = amount == 0 ? 0 : uint64(block.timestamp) + MAX_SESSION + CLAIM_WINDOW;
        account.exiting = amount;
        account.exitAt = exitAt;
        emit ExitRequested(msg.sender, amount, exitAt);
    }

    /// Takes out what was announced and is still there.
    function exit() external alone {
        Account storage account = accounts[msg.sender];
        uint128 amount = account.exiting;
        if (amount == 0) revert NoExit();
        // Strictly later than the last second in which a claim could come first.
        if (block.timestamp <= account.exitAt) revert ExitNotDue(account.exitAt);
        account.balance -= amount;
        account.exiting = 0;
        account.exitAt = 0;
        emit Exited(msg.sender, amount);
        _push(msg.sender, amount);
    }

    /// What a session paid so far, to all its payees.
    function spent(bytes32 session) external view returns (uint128) {
        return sessions[session].spent;
    }

    /// What binds signatures to this vault on this chain. TIP-712 keeps 32 bits of the chain's id.
    function domainSeparator() public view returns (bytes32) {
        uint256 chain = block.chainid & 0xffffffff;
        return keccak256(abi.encode(DOMAIN_TYPE, NAME, VERSION, chain, address(this)));
    }

    /// Pays one claim, or says why nothing was paid.
    function _claim(Claim memory c) private returns (uint128 paid, bytes memory why) {
        bytes32 session = _hash(c.grant);
        uint256 last = uint256(c.grant.expiry) + CLAIM_WINDOW;
        why = _refusal(c, session, VOUCHER_TYPE, last);
        if (why.length != 0) return (0, why);
        paid = _due(c, session);
        if (paid == 0) return (0, abi.encodeWithSelector(NothingLeft.selector));
        _take(c.grant.owner, session, c.payee, paid);
        accounts[c.payee].balance += paid;
        uint128 total = claimed[session][c.payee] + paid;
        claimed[session][c.payee] = total;
        emit Claimed(session, c.grant.owner, c.payee, paid, total);
    }

    /// Why a promise does not hold, as the error to fail with; empty where it does. What costs
    /// least is looked at first.
    function _refusal(Claim memory c, bytes32 session, bytes32 kind, uint256 last)
        private
        view
        returns (bytes memory)
    {
        Grant memory grant = c.grant;
        if (c.payee == address(0)) return abi.encodeWithSelector(NoPayee.selector);
        if (block.timestamp > last) {
            return abi.encodeWithSelector(Expired.selector, block.timestamp, last);
        }
        // A grant whose claims could outlast an exit would be a promise of money that is gone. No
        // payee loses by this that refused the grant for the same reason when it was shown it.
        uint256 allowed = block.timestamp + MAX_SESSION;
        if (grant.expiry > allowed) {
            return abi.encodeWithSelector(ExpiryTooFar.selector, grant.expiry, allowed);
        }
        uint128 had = claimed[session][c.payee];
        if (c.amount <= had) return abi.encodeWithSelector(Stale.selector, c.amount, had);
        if (!_signed(session, grant.owner, c.ownerSig)) {
            return abi.encodeWithSelector(BadSignature.selector, grant.owner);
        }
        bytes32 said = keccak256(abi.encode(kind, session, c.payee, c.amount));
        if (!_signed(said, grant.key, c.keySig)) {
            return abi.encodeWithSelector(BadSignature.selector, grant.key);
        }
        return "";
    }

    /// What a good voucher is worth: no more than is new in it, than the cap leaves beside what is
    /// locked for others, and than the owner has beside what is locked for others.
    function _due(Claim memory c, bytes32 session) private view returns (uint128) {
        uint128 own = reserveOf[session][c.payee].amount;
        uint128 fresh = c.amount - claimed[session][c.payee];
        return _least(fresh, _room(c.grant, session) + own, _free(c.grant.owner) + own);
    }

    /// Takes a payment out of the owner's account, first out of what is locked for the payee.
    function _take(address owner, bytes32 session, address payee, uint128 paid) private {
        Lock storage lock = reserveOf[session][payee];
        uint128 own = lock.amount < paid ? lock.amount : paid;
        sessions[session].spent += paid;
        accounts[owner].balance -= paid;
        if (own != 0) {
            lock.amount -= own;
            sessions[session].reserved -= own;
            accounts[owner].reserved -= own;
        }
        _trimExit(owner);
    }

    /// Locks what is still missing, as far as there is.
    function _lock(Claim memory c, bytes32 session) private {
        address owner = c.grant.owner;
        Lock storage lock = reserveOf[session][c.payee];
        uint128 wanted = c.amount - claimed[session][c.payee];
        uint128 missing = wanted > lock.amount ? wanted - lock.amount : 0;
        uint128 more = _least(missing, _room(c.grant, session), _free(owner));
        if (more == 0) revert NothingLeft();
        lock.amount += more;
        lock.until = c.grant.expiry + CLAIM_WINDOW;
        lock.owner = owner;
        sessions[session].reserved += more;
        accounts[owner].reserved += more;
        _trimExit(owner);
        emit Reserved(session, c.payee, lock.amount);
    }

    /// Keeps what exits apart from what is locked, and within what is there.
    function _trimExit(address owner) private {
        Account storage account = accounts[owner];
        uint128 free = account.balance - account.reserved;
        if (account.exiting > free) {
            account.exiting = free;
            if (free == 0) account.exitAt = 0;
        }
    }

    /// What a grant's cap leaves beside what was paid and what is locked.
    function _room(Grant memory grant, bytes32 session) private view returns (uint128) {
        return grant.cap - sessions[session].spent - sessions[session].reserved;
    }

    /// What an account has beside what is locked, exits included.
    function _free(address owner) private view returns (uint128) {
        return accounts[owner].balance - accounts[owner].reserved;
    }

    function _least(uint128 a, uint128 b, uint128 c) private pure returns (uint128) {
        uint128 least = a < b ? a : b;
        return least < c ? least : c;
    }

    /// A session is named by the hash of all that was granted.
    function _hash(Grant memory grant) private pure returns (bytes32) {
        return keccak256(abi.encode(GRANT_TYPE, grant));
    }

    /// Whether `signer` signed that structure for this vault.
    function _signed(bytes32 structure, address signer, bytes memory signature)
        private
        view
        returns (bool)
    {
        if (signature.length != 65) return false;
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
            v := byte(0, mload(add(signature, 96)))
        }
        if (v < 2) v += 27;
        if (uint256(s) > HALF_ORDER || (v != 27 && v != 28)) return false;
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domainSeparator(), structure));
        address found = ecrecover(digest, v, r, s);
        return found != address(0) && found == signer;
    }

    function _fail(bytes memory why) private pure {
        assembly ("memory-safe") {
            revert(add(why, 32), mload(why))
        }
    }

    /// Fetches tokens that the caller approved, and says how many came: never more than asked for,
    /// so that nobody is credited with what somebody else sent meanwhile.
    function _pull(uint128 amount) private returns (uint128) {
        uint256 before = Token(token).balanceOf(address(this));
        Token(token).transferFrom(msg.sender, address(this), amount);
        uint256 held = Token(token).balanceOf(address(this));
        if (held < before) revert TransferFailed();
        uint256 arrived = held - before;
        return arrived < amount ? uint128(arrived) : amount;
    }

    /// Pays out. What leaves must be what was said, or others would pay the rest.
    function _push(address to, uint128 amount) private {
        if (token == address(0)) {
            (bool done, ) = to.call{value: amount}("");
            if (!done) revert TransferFailed();
            return;
        }
        uint256 before = Token(token).balanceOf(address(this));
        Token(token).transfer(to, amount);
        uint256 held = Token(token).balanceOf(address(this));
        if (held > before || before - held != amount) revert TransferFailed();
    }
}
