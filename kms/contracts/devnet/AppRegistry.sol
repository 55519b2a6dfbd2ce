// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// @title AppRegistry: application registry for a devnet.
/// @notice Its read ABI, events and lifecycle are those of the v1.5 AppController that an operator reads. Written
/// from the ABI; it has no quotas, billing or delegation. Not for a public chain.
contract AppRegistry {
    enum AppStatus { NONE, STARTED, STOPPED, TERMINATED, SUSPENDED, CREATED }

    struct EnvVar { string key; string value; }
    struct ContainerPolicy {
        string[] args;
        string[] cmdOverride;
        EnvVar[] env;
        EnvVar[] envOverride;
        string restartPolicy;
    }
    struct Artifact { bytes32 digest; string registry; }
    struct RmsRelease { Artifact[] artifacts; uint32 upgradeByTime; }
    struct Release {
        RmsRelease rmsRelease;
        bytes publicEnv;
        bytes encryptedEnv;
        ContainerPolicy containerPolicy;
    }
    struct App {
        address creator;
        uint32 operatorSetId;
        uint32 latestBlock;
        uint32 pendingBlock;
        AppStatus status;
        uint256 releases;
    }

    event AppCreated(address indexed creator, address indexed app, uint32 operatorSetId);
    event AppUpgraded(address indexed app, uint256 rmsReleaseId, Release release);
    event UpgradeConfirmed(address indexed app, uint32 pendingReleaseBlockNumber);
    event AppStarted(address indexed app);
    event AppStopped(address indexed app);
    event AppTerminated(address indexed app);
    event AppTerminatedByAdmin(address indexed app);
    event AppSuspended(address indexed app);

    error InvalidAppStatus();
    error MoreThanOneArtifact();
    error NoPendingUpgrade();
    error InvalidPermissions();
    error AppAlreadyExists();

    /// Confirms upgrades and suspends apps, as the coordinator of the deployed contract does.
    address public immutable coordinator;
    uint32 public nextOperatorSetId;
    mapping(address => App) internal apps;

    constructor(address coordinator_) {
        coordinator = coordinator_;
    }

    modifier onlyCreator(address app) {
        if (apps[app].creator != msg.sender) revert InvalidPermissions();
        _;
    }

    modifier onlyCoordinator() {
        if (msg.sender != coordinator) revert InvalidPermissions();
        _;
    }

    function version() external pure returns (string memory) {
        return "1.5.0-devnet";
    }

    function calculateAppId(address deployer, bytes32 salt) public view returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(address(this), deployer, salt)))));
    }

    /// The first release needs no confirmation: STARTED at once, without UpgradeConfirmed.
    function createApp(bytes32 salt, Release calldata release) external returns (address app) {
        app = _create(salt);
        _publish(app, release);
        apps[app].latestBlock = apps[app].pendingBlock;
        apps[app].pendingBlock = 0;
        _start(app);
    }

    function createEmptyApp(bytes32 salt) external returns (address) {
        return _create(salt);
    }

    function upgradeApp(address app, Release calldata release) external onlyCreator(app) returns (uint256) {
        if (apps[app].status == AppStatus.TERMINATED) revert InvalidAppStatus();
        return _publish(app, release);
    }

    function confirmUpgrade(address app) external onlyCoordinator {
        App storage a = apps[app];
        if (a.status != AppStatus.STARTED && a.status != AppStatus.STOPPED) revert InvalidAppStatus();
        if (a.pendingBlock == 0) revert NoPendingUpgrade();
        a.latestBlock = a.pendingBlock;
        emit UpgradeConfirmed(app, a.pendingBlock);
        a.pendingBlock = 0;
    }

    function startApp(address app) external onlyCreator(app) {
        if (apps[app].status == AppStatus.TERMINATED) revert InvalidAppStatus();
        _start(app);
    }

    function stopApp(address app) external onlyCreator(app) {
        if (apps[app].status != AppStatus.STARTED) revert InvalidAppStatus();
        apps[app].status = AppStatus.STOPPED;
        emit AppStopped(app);
    }

    function suspendApp(address app) external onlyCoordinator {
        App storage a = apps[app];
        if (a.status != AppStatus.STARTED && a.status != AppStatus.STOPPED) revert InvalidAppStatus();
        a.status = AppStatus.SUSPENDED;
        emit AppSuspended(app);
    }

    function terminateApp(address app) external onlyCreator(app) {
        _terminate(app);
        emit AppTerminated(app);
    }

    function terminateAppByAdmin(address app) external onlyCoordinator {
        _terminate(app);
        emit AppTerminatedByAdmin(app);
    }

    function getAppCreator(address app) external view returns (address) { return apps[app].creator; }
    function getAppOperatorSetId(address app) external view returns (uint32) { return apps[app].operatorSetId; }
    function getAppLatestReleaseBlockNumber(address app) external view returns (uint32) { return apps[app].latestBlock; }
    function getAppPendingReleaseBlockNumber(address app) external view returns (uint32) { return apps[app].pendingBlock; }
    function getAppStatus(address app) external view returns (AppStatus) { return apps[app].status; }

    function _create(bytes32 salt) internal returns (address app) {
        app = calculateAppId(msg.sender, salt);
        if (apps[app].status != AppStatus.NONE) revert AppAlreadyExists();
        apps[app] = App(msg.sender, nextOperatorSetId++, 0, 0, AppStatus.CREATED, 0);
        emit AppCreated(msg.sender, app, apps[app].operatorSetId);
    }

    function _publish(address app, Release calldata release) internal returns (uint256 id) {
        if (release.rmsRelease.artifacts.length != 1) revert MoreThanOneArtifact();
        id = apps[app].releases++;
        apps[app].pendingBlock = uint32(block.number);
        emit AppUpgraded(app, id, release);
    }

    function _start(address app) internal {
        apps[app].status = AppStatus.STARTED;
        emit AppStarted(app);
    }

    function _terminate(address app) internal {
        App storage a = apps[app];
        if (a.status == AppStatus.NONE || a.status == AppStatus.TERMINATED) revert InvalidAppStatus();
        a.status = AppStatus.TERMINATED;
    }
}
