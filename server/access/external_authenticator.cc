#include "server/access/external_authenticator.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "server/access/auth_answer.h"
#include "storage/base/log.h"
#include "storage/base/random.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

constexpr char kSessionPath[] = "/api/auth/v2/session";
constexpr char kKeyPairPath[] = "/api/auth/v2/keypair";
constexpr size_t kDigestKeyLength = 64;

}  // namespace

absl::StatusOr<std::unique_ptr<ExternalAuthenticator>> ExternalAuthenticator::Start(
    const Options& options) {
  auto authenticator = absl::WrapUnique(new ExternalAuthenticator(options));
  ASSIGN_OR_RETURN(authenticator->service_, HttpClient::Start(options.service));
  return authenticator;
}

ExternalAuthenticator::ExternalAuthenticator(const Options& options)
    : clock_(options.clock),
      metrics_(options.metrics),
      path_(options.service.url.path),
      digest_key_(RandomAlphanumeric(kDigestKeyLength)) {}

ExternalAuthenticator::~ExternalAuthenticator() = default;

CredentialDigest ExternalAuthenticator::DigestOf(const Credentials& credentials) const {
  // No credential holds a line feed, so no two texts of different credentials are alike.
  const std::string text = credentials.bearer.empty() ? absl::StrCat("k\n", credentials.api_key,
                                                                     "\n", credentials.api_secret)
                                                      : absl::StrCat("s\n", credentials.bearer);
  CredentialDigest digest;
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), digest_key_.data(), static_cast<int>(digest_key_.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
           &size) == nullptr ||
      size != digest.size()) {
    // Without it credentials could be taken for one another.
    std::abort();
  }
  return digest;
}

std::optional<Verdict> ExternalAuthenticator::Authenticate(const Credentials& credentials,
                                                           absl::Time now, Later later) {
  const CredentialDigest digest = DigestOf(credentials);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const Principal* const known = yes_.Find(digest, now)) {
      ++cache_hits_;
      return *known;
    }
    if (const absl::Status* const refused = no_.Find(digest, now)) {
      ++cache_hits_;
      return *refused;
    }
    if (waiting_ >= kWaitingMax) {
      return absl::UnavailableError("too many calls wait for the authentication service");
    }
    ++waiting_;
    const auto [flight, is_new] = flights_.try_emplace(digest);
    flight->second.waiting.push_back(std::move(later));
    if (!is_new) return std::nullopt;
    flight->second.began = now;
    flight->second.is_session = !credentials.bearer.empty();
    ++questions_;
  }
  Ask(credentials, digest);
  return std::nullopt;
}

void ExternalAuthenticator::Ask(const Credentials& credentials, const CredentialDigest& digest) {
  HttpClient::Question question;
  if (credentials.bearer.empty()) {
    question = {path_ + kKeyPairPath,
                {{"api-key", std::string(credentials.api_key)},
                 {"api-secret", std::string(credentials.api_secret)}}};
  } else {
    question = {path_ + kSessionPath,
                {{"Authorization", absl::StrCat("Bearer ", credentials.bearer)}}};
  }
  service_->Get(std::move(question), [this, digest](absl::StatusOr<HttpClient::Answer> answer) {
    TakeAnswer(digest, answer);
  });
}

void ExternalAuthenticator::TakeAnswer(const CredentialDigest& digest,
                                       const absl::StatusOr<HttpClient::Answer>& answer) {
  const AuthAnswer read =
      answer.ok() ? ReadAuthAnswer(answer->status, answer->body, clock_())
                  : AuthAnswer{absl::UnavailableError(absl::StrCat("the authentication service: ",
                                                                   answer.status().message())),
                               {}};
  Flight flight;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto landed = flights_.find(digest);
    flight = std::move(landed->second);
    flights_.erase(landed);
    waiting_ -= flight.waiting.size();
    Remember(digest, flight, read.verdict, read.expires);
  }
  Measure(flight, read.verdict);
  for (const Later& later : flight.waiting) later(read.verdict);
}

// REQUIRES: mutex_ is held.
void ExternalAuthenticator::Remember(const CredentialDigest& digest, const Flight& flight,
                                     const Verdict& verdict, absl::Time expires) {
  if (verdict.ok()) {
    yes_.Put(digest, *verdict, flight.began, std::min(flight.began + kYesCounts, expires));
  } else if (absl::IsUnauthenticated(verdict.status())) {
    no_.Put(digest, verdict.status(), flight.began, flight.began + kNoCounts);
  }
  const bool fails = !verdict.ok() && !absl::IsUnauthenticated(verdict.status());
  if (fails && !failing_) {
    LogWarning("the authentication service fails", {{"cause", verdict.status().message()}});
  } else if (!fails && failing_) {
    LogInfo("the authentication service answers again");
  }
  failing_ = fails;
}

void ExternalAuthenticator::Measure(const Flight& flight, const Verdict& verdict) {
  if (metrics_ == nullptr) return;
  const char* const status = verdict.ok()                                ? "yes"
                             : absl::IsUnauthenticated(verdict.status()) ? "no"
                                                                         : "error";
  metrics_->Record(flight.is_session ? "session" : "keypair", status,
                   absl::ToDoubleSeconds(clock_() - flight.began), 0, 0);
}

ExternalAuthenticator::Counts ExternalAuthenticator::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {cache_hits_, questions_, yes_.size() + no_.size(), waiting_};
}

}  // namespace relations
