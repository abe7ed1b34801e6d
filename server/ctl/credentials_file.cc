#include "server/ctl/credentials_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "absl/strings/str_cat.h"
#include "simdjson.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

// A credential is a few hundred bytes.
constexpr size_t kFileBytesMax = 64 << 10;

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  FileDescriptor owned;
  int file = STDIN_FILENO;
  if (path != "-") {
    owned = FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!owned.valid()) {
      return absl::ErrnoToStatus(errno, absl::StrCat("credentials file ", path));
    }
    file = owned.get();
  }
  std::string text;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = read(file, buffer, sizeof buffer)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, absl::StrCat("credentials file ", path));
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > kFileBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("credentials file ", path, " is over ", kFileBytesMax, " bytes"));
    }
  }
  return text;
}

// 1 to 512 visible ASCII characters: what the server accepts and metadata can carry.
bool IsSecret(absl::string_view text) {
  if (text.empty() || text.size() > limits::kCredentialBytesMax) return false;
  for (const char c : text) {
    if (c <= 0x20 || c >= 0x7F) return false;
  }
  return true;
}

std::optional<std::string> Secret(const simdjson::dom::element& document, const char* key) {
  std::string_view text;
  if (document[key].get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  std::string secret(text);
  if (!IsSecret(secret)) return std::nullopt;
  return secret;
}

}  // namespace

absl::StatusOr<CallMetadata> ReadCredentials(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(text).get(document) == simdjson::SUCCESS) {
    if (const auto bearer = Secret(document, "bearer")) {
      return CallMetadata{{"authorization", absl::StrCat("Bearer ", *bearer)}};
    }
    const auto key = Secret(document, "apiKey");
    const auto secret = Secret(document, "apiSecret");
    if (key.has_value() && secret.has_value()) {
      return CallMetadata{{"api-key", *key}, {"api-secret", *secret}};
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("credentials file ", path,
                   R"( does not hold {"apiKey":...,"apiSecret":...} or {"bearer":...})"));
}

absl::StatusOr<SecretFile> SecretFile::Create(const std::string& path) {
  FileDescriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", path));
  return SecretFile(path, std::move(file));
}

SecretFile::~SecretFile() {
  if (file_.valid()) unlink(path_.c_str());
}

absl::Status SecretFile::Write(const std::string& json) {
  const std::string text = json + "\n";
  for (size_t done = 0; done < text.size();) {
    const ssize_t wrote = write(file_.get(), text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
    done += static_cast<size_t>(wrote);
  }
  if (fsync(file_.get()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
  }
  file_ = FileDescriptor();
  return absl::OkStatus();
}

}  // namespace relations
