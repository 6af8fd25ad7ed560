// SPDX-License-Identifier: Apache-2.0
// What builder, helper and the process inside say to each other over SOCK_SEQPACKET sockets, one
// message per packet. Builder to helper: descriptors, which start a step, then kKill, or kSignal
// and one byte. Helper to builder: one report per step, after which the next one may come. Inside
// to helper: at most one list of stubs, then a report if the command could not be started; end of
// file means it was. Helper to inside, if that waits: the descriptors as they came. Thread-safe.
#pragma once

#include "builder/sandbox/sandbox.h"
#include "builder/sandbox/stubs.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::sandbox {

constexpr char kKill = 'K';
constexpr char kSignal = 'S';
/// Where a helper finds its end of the conversation when it starts.
constexpr int kControlFd = 3;

std::string encode_report(const Result<SandboxExit>& report);
Result<SandboxExit> decode_report(std::string_view text);

std::string encode_stubs(const StubRecord& stubs);
/// nullopt when the message is a report.
Result<std::optional<StubRecord>> decode_stubs(std::string_view text);

/// One packet; nullopt at the end of the conversation.
Result<std::optional<std::string>> receive_packet(int socket);
Status send_packet(int socket, std::string_view packet);

/// Copies of all of them, in their order. The other side's are closed on exec.
Status send_descriptors(int socket, std::span<const int> fds);
/// nullopt when the conversation ended before they were all there.
Result<std::optional<std::vector<Fd>>> receive_descriptors(int socket);
/// Each gets its place in the list as its number. First all go where none of these places are.
Status put_in_place(std::vector<Fd> fds);
/// The plan in a memory file.
Result<SandboxPlan> read_plan(int fd);

}  // namespace mybuild::sandbox
