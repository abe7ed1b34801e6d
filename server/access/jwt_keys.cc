#include "server/access/jwt_keys.h"

#include <algorithm>
#include <fstream>
#include <future>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "storage/base/file_stamp.h"
#include "storage/base/log.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

constexpr std::chrono::milliseconds kRetryMin{1'000};
constexpr std::chrono::milliseconds kRetryMax{60'000};

}  // namespace

absl::StatusOr<std::unique_ptr<JwtKeys>> JwtKeys::Start(Options options) {
  auto keys = absl::WrapUnique(new JwtKeys(std::move(options)));
  if (keys->IsFile()) RETURN_IF_ERROR(keys->Refresh());
  keys->thread_ = std::thread([started = keys.get()] { started->Run(); });
  return keys;
}

JwtKeys::JwtKeys(Options options) : options_(std::move(options)) {}

JwtKeys::~JwtKeys() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const JwkSet> JwtKeys::current() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool is_stale = !IsFile() && Clock::now() - confirmed_ > options_.kept_max;
  return is_stale ? nullptr : keys_;
}

bool JwtKeys::LookForMissing(std::function<void()> then) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_ || looking_.size() + waiting_.size() >= kWaitingMax) return false;
    const auto now = Clock::now();
    if (!looked_for_missing_.has_value() ||
        now - *looked_for_missing_ >= options_.unknown_key_pause) {
      looked_for_missing_ = now;
      waiting_.push_back(std::move(then));
      wanted_ = true;
    } else if (!waiting_.empty()) {
      waiting_.push_back(std::move(then));
    } else if (is_looking_) {
      looking_.push_back(std::move(then));
    } else {
      return false;
    }
  }
  changed_.notify_all();
  return true;
}

void JwtKeys::Reload() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    wanted_ = true;
  }
  changed_.notify_all();
}

void JwtKeys::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  // A file was read before the thread began.
  bool is_due = !IsFile();
  while (!stopping_) {
    const auto pause = retry_.count() > 0 ? retry_ : options_.refresh;
    if (!is_due) changed_.wait_for(lock, pause, [this] { return stopping_ || wanted_; });
    if (stopping_) break;
    is_due = false;
    wanted_ = false;
    looking_ = std::exchange(waiting_, {});
    is_looking_ = true;
    lock.unlock();
    RefreshAndTell();
    lock.lock();
    is_looking_ = false;
    const std::vector<std::function<void()>> served = std::exchange(looking_, {});
    lock.unlock();
    for (const auto& then : served) then();
    lock.lock();
  }
  // Nobody comes any more.
  const std::vector<std::function<void()>> left = std::exchange(waiting_, {});
  lock.unlock();
  for (const auto& then : left) then();
}

void JwtKeys::RefreshAndTell() {
  const absl::Status status = Refresh();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (status.ok()) {
    retry_ = std::chrono::milliseconds(0);
    return;
  }
  if (retry_.count() == 0) {
    LogError("keys of tokens not read: the old ones count", {{"cause", status.message()}});
  }
  retry_ = std::clamp(retry_ * 2, kRetryMin, kRetryMax);
}

absl::Status JwtKeys::Refresh() {
  std::string stamp;
  if (IsFile()) {
    stamp = FileStamp(options_.file);
    if (!stamp.empty() && stamp == stamp_) return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::string text, IsFile() ? ReadFile() : AskService());
  ASSIGN_OR_RETURN(JwkSet parsed, JwkSet::Parse(text));
  stamp_ = stamp;
  const auto keys = std::make_shared<const JwkSet>(std::move(parsed));
  const std::lock_guard<std::mutex> lock(mutex_);
  keys_ = keys;
  confirmed_ = Clock::now();
  Log(IsFile() ? LogLevel::kInfo : LogLevel::kDebug, "keys of tokens read",
      {{"keys", keys->size()}});
  return absl::OkStatus();
}

absl::StatusOr<std::string> JwtKeys::ReadFile() const {
  std::ifstream file(options_.file, std::ios::binary);
  std::string text(JwkSet::kBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the file ", options_.file, " cannot be read"));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

absl::StatusOr<std::string> JwtKeys::AskService() {
  // Shared: the setter may still be inside the promise when the waiter has its answer.
  const auto promised = std::make_shared<std::promise<absl::StatusOr<HttpClient::Answer>>>();
  options_.service->Get({options_.target, {}}, [promised](absl::StatusOr<HttpClient::Answer> it) {
    promised->set_value(std::move(it));
  });
  ASSIGN_OR_RETURN(HttpClient::Answer answer, promised->get_future().get());
  if (answer.status != 200) {
    return absl::UnavailableError(absl::StrCat("the service of the keys answers ", answer.status));
  }
  return std::move(answer.body);
}

}  // namespace relations
