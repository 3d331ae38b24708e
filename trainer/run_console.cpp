#include "trainer/run_console.h"

#include <fmt/format.h>

#include "layers/core/bytes.h"
#include "layers/core/text.h"
#include "layers/device/cpu/host.h"
#include "trainer/planner/plan_report.h"

namespace convoy {

RunConsole::RunConsole(const Session& session, RunFolder& folder, const TrainOptions& options)
    : session_(session),
      job_(session.job()),
      folder_(folder),
      progress_(session.comm().rank() == 0 ? options.console : nullptr, options.terminal),
      version_(options.version) {}

void RunConsole::say(const std::string& text) {
  log(text);
  line(text);
}

void RunConsole::start(std::int64_t updates_per_epoch) {
  const Communicator& comm = session_.comm();
  data_notes();
  log(fmt::format("convoy {}, rank {} of {} ({}), {}; arena of {} bytes, {} at a time", version_, comm.rank(),
                  comm.size(), comm.kind(), session_.device_line(), session_.plan().arena_bytes(),
                  counted(session_.plan().micro_batch, "sample")));
  line(fmt::format("convoy {}: {} ({} parameters) on {}, {} training images, batch {} over {} ({}), {} of {}",
                   version_, session_.graph().name(), session_.graph().parameters(), job_.data.kind,
                   session_.inputs().train->size(), job_.train.batch, counted(comm.size(), "rank"),
                   comm.kind(), counted(job_.train.epochs, "epoch"), counted(updates_per_epoch, "update")));
  plan();
  line("device: " + session_.device_line());
  kernels();
  const auto cores = static_cast<std::int64_t>(allowed_cores().size());
  if (cores > 0 && job_.threads > cores) {
    line(fmt::format("warning: threads = {} is more than the {} a rank may use here, which makes it slower",
                     job_.threads, counted(cores, "core")));
  }
}

void RunConsole::plan() {
  const Plan& plan = session_.plan();
  line(fmt::format("plan: {} a rank of {}, {} at a time, {} an update, {}{}",
                   format_bytes(plan.projected_bytes()), format_bytes(plan.request.limit_bytes),
                   counted(plan.micro_batch, "sample"), counted(plan.accumulation, "micro-batch"),
                   precision_name(plan.request),
                   plan.program.choices.shards > 1 ? ", optimizer sharded" : ""));
  if (const std::string lean = lean_line(plan); !lean.empty()) say(lean);
  for (const std::string& text : action_lines(plan)) say(text);
  for (const std::string& text : batch_lines(plan)) say(text);
}

void RunConsole::kernels() {
  const ChosenKernels& kernels = session_.kernels();
  if (session_.comm().rank() != 0) return;
  for (const std::string& warning : kernels.warnings) say(warning);
  if (kernels.line().empty()) return;
  say(kernels.line());
  for (const std::string& text : kernels.details()) log(text);
}

void RunConsole::data_notes() {
  for (const Dataset* set : {session_.inputs().train.get(), session_.inputs().test.get()}) {
    for (const std::string& note : set->take_notes()) say(note);
  }
}

}  // namespace convoy
