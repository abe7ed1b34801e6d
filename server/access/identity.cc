#include "server/access/identity.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/access/http_url.h"
#include "storage/base/log.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

using Kind = MetricSample::Kind;

// A look at a file costs nothing.
constexpr std::chrono::seconds kLookAtFileEvery{10};

// The URL of a setting, fit to be asked.
absl::StatusOr<HttpUrl> UrlOf(const char* setting, const std::string& text, bool allow_plaintext) {
  auto url = ParseHttpUrl(text);
  if (!url.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--", setting, ": ", url.status().message()));
  }
  if (!url->is_tls && !url->IsLoopback() && !allow_plaintext) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--", setting, " ", text, ": it would be asked without TLS on another machine; ",
        "use https, or give --auth-allow-plaintext"));
  }
  return url;
}

void AddExternal(Metrics& metrics, const ExternalAuthenticator& external) {
  metrics.AddSource([&external](std::vector<MetricSample>& samples) {
    const ExternalAuthenticator::Counts counts = external.counts();
    const auto add = [&samples](const char* name, const char* help, Kind kind, double value) {
      samples.push_back({name, help, kind, value, {}});
    };
    add("relations_server_auth_cache_hits_total", "Verdicts that were remembered.", Kind::kCounter,
        static_cast<double>(counts.cache_hits));
    add("relations_server_auth_questions_total", "Questions to the authentication service.",
        Kind::kCounter, static_cast<double>(counts.questions));
    add("relations_server_auth_remembered", "Verdicts that are remembered now.", Kind::kGauge,
        static_cast<double>(counts.remembered));
    add("relations_server_auth_waiting", "Calls that wait for the authentication service.",
        Kind::kGauge, static_cast<double>(counts.waiting));
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Identity>> Identity::Start(const IdentityConfig& config,
                                                          const CredentialStore* credentials,
                                                          Metrics& metrics) {
  auto identity = absl::WrapUnique(new Identity(credentials));
  if (!config.auth_url.empty()) {
    RETURN_IF_ERROR(identity->StartExternal(config, metrics));
  } else if (!config.auth_ca.empty() || !config.auth_cert.empty() || !config.auth_key.empty()) {
    return absl::InvalidArgumentError("--auth-ca, --auth-cert and --auth-key need --auth-url");
  }
  if (!config.jwt_keys.empty()) {
    RETURN_IF_ERROR(identity->StartTokens(config, metrics));
  } else if (!config.jwt_ca.empty() || !config.jwt_issuer.empty() || !config.jwt_audience.empty()) {
    return absl::InvalidArgumentError("--jwt-ca, --jwt-issuer and --jwt-audience need --jwt-keys");
  }
  return identity;
}

std::optional<Verdict> Identity::Authenticate(const Credentials& credentials, absl::Time now,
                                              Later later) {
  if (tokens_ != nullptr && HasJwtShape(credentials.bearer)) {
    return tokens_->Authenticate(credentials, now, std::move(later));
  }
  return external_ != nullptr ? external_->Authenticate(credentials, now, std::move(later))
                              : store_.Authenticate(credentials, now, std::move(later));
}

void Identity::Reload() {
  if (tokens_ != nullptr) tokens_->keys().Reload();
}

absl::Status Identity::StartExternal(const IdentityConfig& config, Metrics& metrics) {
  ExternalAuthenticator::Options options;
  ASSIGN_OR_RETURN(options.service.url,
                   UrlOf("auth-url", config.auth_url, config.auth_allow_plaintext));
  options.service.tls = {config.auth_cert, config.auth_key, config.auth_ca};
  RETURN_IF_ERROR(CheckTlsFiles(options.service.tls));
  questions_ = std::make_unique<RequestMetrics>(metrics, "relations_server_auth", "credential");
  options.metrics = questions_.get();
  ASSIGN_OR_RETURN(external_, ExternalAuthenticator::Start(options));
  AddExternal(metrics, *external_);
  LogInfo("credentials are judged by a service", {{"url", options.service.url.Origin()}});
  return absl::OkStatus();
}

absl::Status Identity::StartTokens(const IdentityConfig& config, Metrics& metrics) {
  if (config.jwt_issuer.empty() || config.jwt_audience.empty()) {
    return absl::InvalidArgumentError(
        "--jwt-keys needs --jwt-issuer and --jwt-audience: the keys may sign for others too");
  }
  JwtKeys::Options options;
  options.refresh = std::chrono::seconds(config.jwt_refresh_s);
  if (!absl::StrContains(config.jwt_keys, "://")) {
    options.file = config.jwt_keys;
    options.refresh = std::min<std::chrono::milliseconds>(options.refresh, kLookAtFileEvery);
  } else {
    HttpClient::Options service;
    ASSIGN_OR_RETURN(service.url, UrlOf("jwt-keys", config.jwt_keys, config.auth_allow_plaintext));
    service.tls.authorities = config.jwt_ca;
    service.answer_bytes_max = JwkSet::kBytesMax;
    RETURN_IF_ERROR(CheckTlsFiles(service.tls));
    options.target = service.url.path.empty() ? "/" : service.url.path;
    ASSIGN_OR_RETURN(options.service, HttpClient::Start(service));
  }
  auto keys = JwtKeys::Start(std::move(options));
  if (!keys.ok()) {
    return absl::Status(keys.status().code(),
                        absl::StrCat("--jwt-keys: ", keys.status().message()));
  }
  tokens_ = std::make_unique<JwtAuthenticator>(
      *std::move(keys), JwtRules{config.jwt_issuer, config.jwt_audience, config.jwt_group_claim,
                                 config.jwt_role_claim});
  metrics.AddSource([this](std::vector<MetricSample>& samples) {
    const std::shared_ptr<const JwkSet> current = tokens_->keys().current();
    samples.push_back({"relations_server_jwt_keys",
                       "Keys that tokens are verified with.",
                       Kind::kGauge,
                       current == nullptr ? 0 : static_cast<double>(current->size()),
                       {}});
  });
  LogInfo("tokens are verified", {{"keys", config.jwt_keys}, {"issuer", config.jwt_issuer}});
  return absl::OkStatus();
}

}  // namespace relations
