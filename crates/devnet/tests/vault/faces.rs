//! The contracts' interfaces, and the structures that are signed for them.

use alloy_sol_types::sol;

sol! {
    #[derive(Debug, PartialEq, Eq)]
    struct Grant {
        address owner;
        address key;
        uint128 cap;
        uint64 expiry;
        bytes32 salt;
    }

    #[derive(Debug, PartialEq, Eq)]
    struct Voucher {
        bytes32 session;
        address payee;
        uint128 amount;
    }

    #[derive(Debug, PartialEq, Eq)]
    struct Reserve {
        bytes32 session;
        address payee;
        uint128 amount;
    }

    #[derive(Debug, PartialEq, Eq)]
    struct Claim {
        Grant grant;
        bytes ownerSig;
        address payee;
        uint128 amount;
        bytes keySig;
    }

    #[derive(Debug, PartialEq, Eq)]
    contract Vault {
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

        error NoToken(address token);
        error Reentered();
        error WrongValue(uint256 sent, uint256 needed);
        error NothingArrived();
        error NoPayee();
        error BadSignature(address needed);
        error Expired(uint256 now_, uint256 last);
        error ExpiryTooFar(uint256 expiry, uint256 allowed);
        error Stale(uint128 amount, uint128 had);
        error NothingLeft();
        error Locked(uint64 until);
        error NoLock();
        error TooMuch(uint128 amount, uint128 free);
        error NoExit();
        error ExitNotDue(uint64 exitAt);
        error TransferFailed();

        constructor(address token);
        function deposit(uint128 amount) external payable;
        function claim(
            Grant grant,
            bytes ownerSig,
            address payee,
            uint128 amount,
            bytes keySig
        ) external returns (uint128 paid);
        function claimMany(Claim[] claims) external returns (uint128 paid);
        function reserve(
            Grant grant,
            bytes ownerSig,
            address payee,
            uint128 amount,
            bytes keySig
        ) external;
        function release(bytes32 session, address payee) external;
        function requestExit(uint128 amount) external;
        function exit() external;
        function accounts(address owner)
            external
            view
            returns (uint128 balance, uint128 reserved, uint128 exiting, uint64 exitAt);
        function spent(bytes32 session) external view returns (uint128);
        function claimed(bytes32 session, address payee) external view returns (uint128);
        function reserveOf(bytes32 session, address payee)
            external
            view
            returns (uint128 amount, uint64 until, address owner);
        function domainSeparator() external view returns (bytes32);
        function token() external view returns (address);
        function MAX_SESSION() external view returns (uint64);
        function CLAIM_WINDOW() external view returns (uint64);
    }

    #[derive(Debug, PartialEq, Eq)]
    contract Token {
        error TooLittle(uint256 has, uint256 needs);
        error NotAllowed(uint256 allowed, uint256 needs);
        constructor(uint256 supply);
        function approve(address spender, uint256 value) external returns (bool);
        function transfer(address to, uint256 value) external returns (bool);
        function balanceOf(address owner) external view returns (uint256);
    }

    contract Hostile {
        function become(uint8 way, bytes back) external;
        function mint(address to, uint256 value) external;
        function act(address target, bytes data) external payable;
        function answered() external view returns (bool);
        function answer() external view returns (bytes);
    }

    contract Account {
        function become(bool refuses, bytes back) external;
        function act(address target, bytes data) external payable;
        function answered() external view returns (bool);
        function answer() external view returns (bytes);
    }
}
