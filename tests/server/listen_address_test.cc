#include "server/listen_address.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

// A socket file; somebody listens on it as long as this lives.
class Listener {
 public:
  explicit Listener(const std::string& path) : descriptor_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(listen(descriptor_, 1) == 0);
  }
  ~Listener() { close(descriptor_); }

 private:
  int descriptor_;
};

TEST_CASE("addresses are read and written back") {
  struct Row {
    std::string text;
    std::string canonical;
    bool local;
  };
  for (const Row& row :
       {Row{"127.0.0.1:50051", "127.0.0.1:50051", true}, Row{"127.9.9.9:0", "127.9.9.9:0", true},
        Row{"localhost:80", "127.0.0.1:80", true}, Row{"0.0.0.0:65535", "0.0.0.0:65535", false},
        Row{"192.0.2.1:1", "192.0.2.1:1", false}, Row{"[::1]:7", "[::1]:7", true},
        Row{"[0:0:0:0:0:0:0:1]:7", "[::1]:7", true}, Row{"[::]:7", "[::]:7", false},
        Row{"unix:/run/r.sock", "unix:/run/r.sock", true},
        Row{"unix:///run/r.sock", "unix:/run/r.sock", true},
        Row{"unix:r.sock", "unix:r.sock", true}}) {
    CAPTURE(row.text);
    const auto address = ParseListenAddress(row.text);
    REQUIRE(address.ok());
    CHECK(address->ToString() == row.canonical);
    CHECK(address->IsLocal() == row.local);
  }
}

TEST_CASE("what is no address is refused with its text") {
  for (const std::string& text :
       {std::string(), std::string("50051"), std::string(":50051"), std::string("127.0.0.1"),
        std::string("127.0.0.1:"), std::string("127.0.0.1:65536"), std::string("127.0.0.1:-1"),
        std::string("127.0.0.1: 1"), std::string("127.0.0.1:000001"), std::string("example:1"),
        std::string("::1:50051"), std::string("[::1]"), std::string("[127.0.0.1]:1"),
        std::string("unix:"), "unix:/" + std::string(107, 'x')}) {
    CAPTURE(text);
    const absl::Status status = ParseListenAddress(text).status();
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(absl::StrContains(status.message(), "\"" + text + "\""));
  }
  CHECK(ParseListenAddress("unix:/" + std::string(106, 'x')).ok());
}

TEST_CASE("a stale socket file is removed, a used one and any other file are not") {
  const TempDir directory;
  const std::string path = directory / "socket";
  const auto address = ParseListenAddress("unix:" + path);
  REQUIRE(address.ok());
  CHECK(ClearStaleSocket(*address).ok());
  {
    const Listener listener(path);
    const absl::Status status = ClearStaleSocket(*address);
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(absl::StrContains(status.message(), "another process listens"));
    CHECK(std::filesystem::exists(path));
  }
  CHECK(std::filesystem::exists(path));
  CHECK(ClearStaleSocket(*address).ok());
  CHECK_FALSE(std::filesystem::exists(path));

  std::ofstream(path) << "precious";
  CHECK(ClearStaleSocket(*address).code() == absl::StatusCode::kFailedPrecondition);
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("a path through a missing directory is explained") {
  const TempDir directory;
  const auto address = ParseListenAddress("unix:" + (directory / "missing/socket"));
  REQUIRE(address.ok());
  const absl::Status status = ExplainBindFailure(*address);
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK(absl::StrContains(status.message(), "No such file or directory"));
}

}  // namespace
}  // namespace relations
