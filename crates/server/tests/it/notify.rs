//! What the service manager hears. The test runs itself again with a `NOTIFY_SOCKET`.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use netinfo_server::notify;

const CHILD: &str = "NETINFO_TEST_NOTIFY_CHILD";

#[test]
fn manager_hears_each_state() {
    if std::env::var_os(CHILD).is_some() {
        notify::ready("ipcserver 127.0.0.1:945");
        notify::reloading();
        notify::stopping();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "notify::manager_hears_each_state"])
        .env(CHILD, "1")
        .env("NOTIFY_SOCKET", &path)
        .status()
        .unwrap();
    assert!(status.success());

    let hear = || {
        let mut buffer = [0; 512];
        let len = manager.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..len].to_vec()).unwrap()
    };
    assert_eq!(hear(), "READY=1\nSTATUS=ipcserver 127.0.0.1:945\n");
    let reloading = hear();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(hear(), "STOPPING=1\n");
}
