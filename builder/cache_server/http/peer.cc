// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/http/peer.h"

#include <netdb.h>
#include <sys/socket.h>

#include <array>

namespace mybuild::cache_server {

void Peer::expect_within(std::chrono::seconds time) {
  deadline_ = SteadyClock::now() + time;
}

std::string Peer::address() const {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  std::array<char, NI_MAXHOST> text{};
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  if (::getpeername(fd(), address, &size) != 0 || address->sa_family == AF_UNIX ||
      ::getnameinfo(address, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) {
    return "";
  }
  return text.data();
}

void Peer::shut_down() {
  ::shutdown(fd(), SHUT_RDWR);
}

std::shared_ptr<Peer> PeerList::add(Fd socket) {
  const std::lock_guard lock(mutex_);
  if (peers_.size() >= limit_ && !make_room()) {
    return nullptr;
  }
  return *peers_.insert(std::make_shared<Peer>(std::move(socket))).first;
}

/// Of those that wait equally long the first deadline belongs to who has waited for longest; who is
/// in the middle of a head or a handshake goes before who has shown that he can ask.
bool PeerList::make_room() {
  auto oldest = peers_.end();
  for (auto peer = peers_.begin(); peer != peers_.end(); ++peer) {
    if ((*peer)->is_idle() &&
        (oldest == peers_.end() || (*peer)->deadline() < (*oldest)->deadline())) {
      oldest = peer;
    }
  }
  if (oldest == peers_.end()) {
    return false;
  }
  (*oldest)->shut_down();
  peers_.erase(oldest);
  return true;
}

void PeerList::remove(const std::shared_ptr<Peer>& peer) {
  const std::lock_guard lock(mutex_);
  peers_.erase(peer);
}

void PeerList::shut_down_expired(SteadyClock::time_point now) {
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<Peer>& peer : peers_) {
    if (peer->deadline() <= now) {
      peer->shut_down();
    }
  }
}

void PeerList::shut_down_idle() {
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<Peer>& peer : peers_) {
    if (peer->is_idle()) {
      peer->shut_down();
    }
  }
}

void PeerList::shut_down_all() {
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<Peer>& peer : peers_) {
    peer->shut_down();
  }
}

std::size_t PeerList::size() {
  const std::lock_guard lock(mutex_);
  return peers_.size();
}

}  // namespace mybuild::cache_server
