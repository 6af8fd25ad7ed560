// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/container_inspect.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mybuild::cli {
namespace {

using nlohmann::ordered_json;
using namespace std::chrono_literals;

sandbox::PlanMount mount(const std::string& source, const std::string& target) {
  sandbox::PlanMount mount;
  mount.source = source;
  mount.target = target;
  return mount;
}

InspectedContainer inspected() {
  InspectedContainer out;
  run::ContainerRecord& record = out.container.record;
  record.id = std::string(64, 'a');
  record.name = "box";
  record.image = "app:1";
  record.image_id = Digest::of("app");
  record.created = Time(1'000'000s);
  record.entrypoint = {"sh"};
  record.cmd = {"-c", "exit"};
  record.plan.argv = {"sh", "-c", "exit"};
  record.plan.env = {"A=1"};
  record.plan.cwd = "/work";
  record.plan.hostname = "aaaa";
  record.plan.mounts = {mount("/src", "/host"), mount("/vols/data/data", "/data"),
                        mount("/vols/x/data", "/anon")};
  record.plan.mounts[0].read_only = true;
  record.volumes = {{.volume = "data", .target = "/data"},
                    {.volume = "x", .target = "/anon", .anonymous = true}};
  record.labels = {{"k", "v"}};
  record.exposed_ports = {"80/tcp"};
  record.stop_signal = "SIGQUIT";
  out.container.state = {.status = run::ContainerStatus::Exited,
                         .exit_code = 3,
                         .error = {},
                         .started = Time(1'000'001s),
                         .finished = Time(1'000'002s)};
  out.root.driver = "overlay";
  out.root.mount.lower = {"/l/1", "/l/2"};
  out.root.mount.upper = "/fs/upper";
  out.root.mount.work = "/fs/work";
  return out;
}

ordered_json at(const ordered_json& object, const std::string& pointer) {
  return object.at(ordered_json::json_pointer(pointer));
}

TEST(ContainerInspect, SaysHowItEnded) {
  const ordered_json state = container_json(inspected())["State"];
  EXPECT_EQ(state["Status"], "exited");
  EXPECT_EQ(state["Running"], false);
  EXPECT_EQ(state["ExitCode"], 3);
  EXPECT_EQ(state["Pid"], 0);
  EXPECT_EQ(state["StartedAt"], "1970-01-12T13:46:41Z");
  EXPECT_EQ(state["FinishedAt"], "1970-01-12T13:46:42Z");
}

TEST(ContainerInspect, WhatHasNotHappenedHasGosZeroTime) {
  InspectedContainer running = inspected();
  running.container.state = {.status = run::ContainerStatus::Running, .error = {}};
  running.program = 4711;
  const ordered_json state = container_json(running)["State"];
  EXPECT_EQ(state["Running"], true);
  EXPECT_EQ(state["Pid"], 4711);
  EXPECT_EQ(state["FinishedAt"], "0001-01-01T00:00:00Z");
}

TEST(ContainerInspect, SaysWhatRuns) {
  const ordered_json out = container_json(inspected());
  EXPECT_EQ(out["Name"], "/box");
  EXPECT_EQ(out["Path"], "sh");
  EXPECT_EQ(out["Args"].dump(), R"(["-c","exit"])");
  EXPECT_EQ(out["Image"], Digest::of("app").str());
  EXPECT_EQ(at(out, "/Config/Entrypoint/0"), "sh");
  EXPECT_EQ(at(out, "/Config/Cmd").dump(), R"(["-c","exit"])");
  EXPECT_EQ(at(out, "/Config/Env/0"), "A=1");
  EXPECT_EQ(at(out, "/Config/Image"), "app:1");
  EXPECT_EQ(at(out, "/Config/WorkingDir"), "/work");
  EXPECT_EQ(at(out, "/Config/Labels/k"), "v");
  EXPECT_EQ(at(out, "/Config/ExposedPorts").dump(), R"({"80/tcp":{}})");
  EXPECT_EQ(at(out, "/Config/StopSignal"), "SIGQUIT");
  EXPECT_EQ(at(out, "/HostConfig/NetworkMode"), "host");
  EXPECT_EQ(at(out, "/NetworkSettings/Networks/host/IPAddress"), "");
}

TEST(ContainerInspect, SaysWhatIsMounted) {
  const ordered_json out = container_json(inspected());
  EXPECT_EQ(at(out, "/Mounts/0").dump(),
            R"({"Type":"bind","Source":"/src","Destination":"/host","Mode":"ro","RW":false,)"
            R"("Propagation":"rprivate"})");
  EXPECT_EQ(at(out, "/Mounts/1").dump(),
            R"({"Type":"volume","Name":"data","Source":"/vols/data/data","Destination":"/data",)"
            R"("Driver":"local","Mode":"","RW":true,"Propagation":""})");
  EXPECT_EQ(at(out, "/HostConfig/Binds").dump(), R"(["/src:/host:ro","data:/data"])");
  EXPECT_EQ(at(out, "/Config/Volumes").dump(), R"({"/anon":{}})");
  EXPECT_EQ(at(out, "/GraphDriver/Data/LowerDir"), "/l/2:/l/1");
  EXPECT_EQ(at(out, "/GraphDriver/Data/UpperDir"), "/fs/upper");
}

TEST(ContainerInspect, SizesOnlyWhereTheyAreAskedFor) {
  InspectedContainer sized = inspected();
  EXPECT_FALSE(container_json(sized).contains("SizeRw"));
  sized.size = builder::ContainerSize{.writable = 6, .root = 100};
  EXPECT_EQ(container_json(sized)["SizeRw"], 6);
  EXPECT_EQ(container_json(sized)["SizeRootFs"], 100);
}

TEST(ContainerInspect, WhatIsEmptyIsNullAsInDocker) {
  InspectedContainer bare;
  const ordered_json out = container_json(bare);
  EXPECT_EQ(out["Path"], "");
  EXPECT_TRUE(at(out, "/Config/Cmd").is_null() && at(out, "/Config/Entrypoint").is_null());
  EXPECT_TRUE(at(out, "/Config/Volumes").is_null() && at(out, "/HostConfig/Binds").is_null());
  EXPECT_EQ(at(out, "/Config/Labels").dump(), "{}");
  EXPECT_EQ(out["Mounts"].dump(), "[]");
}

}  // namespace
}  // namespace mybuild::cli
