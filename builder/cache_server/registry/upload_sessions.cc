// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/registry/upload_sessions.h"

#include "builder/cache_server/random_id.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace mybuild::cache_server {

namespace {

constexpr std::uint64_t kCheckEvery = 1 << 20;
constexpr std::uint64_t kMaxWanted = std::uint64_t{1} << 40;  // no layer is larger

}  // namespace

UploadSessions::Lease::~Lease() {
  if (session_) {
    sessions_->release(*session_);
  }
}

Status UploadSessions::Lease::write(ByteSpan bytes) {
  Status written = sessions_->write(*session_, bytes);
  if (!written) {
    end();  // how much of it is on the disk is not known
  }
  return written;
}

std::unique_ptr<BlobWriter> UploadSessions::Lease::take() {
  end();
  return std::move(session_->writer);
}

Result<std::optional<UploadSessions::Lease>> UploadSessions::open(const Owner& owner) {
  drop_idle();
  auto session = std::make_shared<Session>();
  session->id = TRY(random_id());
  session->owner = owner;
  session->is_busy = true;
  session->last_used = clock_.now();
  if (!reserve(session)) {
    return std::optional<Lease>();
  }
  Lease lease(*this, session);
  Result<std::unique_ptr<BlobWriter>> writer = blobs_.begin();
  if (!writer) {
    lease.end();
    return writer.error();
  }
  session->writer = std::move(*writer);
  return std::optional<Lease>(std::move(lease));
}

bool UploadSessions::reserve(const std::shared_ptr<Session>& session) {
  std::shared_ptr<Session> forsaken;  // its draft is removed without the lock
  const auto table = sessions_.lock();
  const std::string& token = session->owner.token_id;
  const auto of_token = std::count_if(table->begin(), table->end(), [&](const auto& entry) {
    return entry.second->owner.token_id == token;
  });
  const std::size_t most = std::min(kMaxOfOneToken, kMax - std::min(kMax, table->size()));
  const bool is_token_full = of_token > 0 && static_cast<std::size_t>(of_token) >= most;
  if (is_token_full || table->size() >= kMax) {
    forsaken = take_forsaken(*table, is_token_full ? &token : nullptr);
    if (!forsaken) {
      return false;
    }
  }
  table->emplace(session->id, session);
  return true;
}

std::shared_ptr<UploadSessions::Session> UploadSessions::take_forsaken(Table& table,
                                                                       const std::string* token) {
  auto longest = table.end();
  for (auto entry = table.begin(); entry != table.end(); ++entry) {
    const Session& session = *entry->second;
    if (!session.is_busy && (token == nullptr || session.owner.token_id == *token) &&
        (longest == table.end() || session.last_used < longest->second->last_used)) {
      longest = entry;
    }
  }
  if (longest == table.end() || clock_.now() - longest->second->last_used < kForsaken) {
    return nullptr;
  }
  std::shared_ptr<Session> taken = longest->second;
  bytes_ -= taken->size;
  table.erase(longest);
  return taken;
}

std::variant<UploadSessions::Lease, UploadSessions::Trouble> UploadSessions::use(
    const std::string& id, const Owner& owner) {
  drop_idle();
  const auto table = sessions_.lock();
  const auto found = table->find(id);
  if (found == table->end() || found->second->owner != owner) {
    return Trouble::Unknown;
  }
  if (std::exchange(found->second->is_busy, true)) {
    return Trouble::Busy;
  }
  return Lease(*this, found->second);
}

std::uint64_t UploadSessions::room(std::uint64_t wanted) const {
  const std::uint64_t open = bytes_;
  const std::uint64_t left = space_left_(wanted <= kMaxWanted ? open + wanted : open);
  return left - std::min(left, open);
}

std::size_t UploadSessions::count() {
  return sessions_.lock()->size();
}

Status UploadSessions::write(Session& session, ByteSpan bytes) {
  session.unchecked += bytes.size();
  if (session.unchecked >= kCheckEvery || session.size == 0) {
    session.unchecked = 0;
    if (bytes.size() > room(bytes.size())) {
      return make_error(ErrorKind::Unavailable, "no space is left for uploads").with_errno(EDQUOT);
    }
  }
  TRY(session.writer->write(bytes));
  session.size += bytes.size();
  bytes_ += bytes.size();
  return {};
}

void UploadSessions::release(Session& session) {
  std::shared_ptr<Session> over;  // its draft is removed without the lock
  const auto table = sessions_.lock();
  session.is_busy = false;
  session.last_used = clock_.now();
  if (session.is_over) {
    const auto found = table->find(session.id);
    over = found->second;
    table->erase(found);
    bytes_ -= session.size;
  }
}

void UploadSessions::drop_idle() {
  std::vector<std::shared_ptr<Session>> dropped;  // their drafts are removed without the lock
  const Time now = clock_.now();
  const auto table = sessions_.lock();
  for (auto entry = table->begin(); entry != table->end();) {
    Session& session = *entry->second;
    if (session.is_busy || now - session.last_used < kIdle) {
      ++entry;
      continue;
    }
    bytes_ -= session.size;
    dropped.push_back(entry->second);
    entry = table->erase(entry);
  }
}

}  // namespace mybuild::cache_server
