// SPDX-License-Identifier: LGPL-2.1-or-later
namespace Procfun {
	public sealed class Pool : Procfun.ProcessExecutor {
		[CCode (cname = "procfun_pool_submit_async", finish_name = "procfun_pool_submit_finish")]
		public async bool submit (Procfun.Call call, GLib.Cancellable? cancellable = null) throws GLib.Error;
		[CCode (cname = "procfun_pool_try_submit")]
		public bool try_submit (Procfun.Call call, GLib.Cancellable? cancellable, [CCode (scope = "async")] owned GLib.AsyncReadyCallback? callback) throws GLib.Error;
	}
	public abstract class ProcessExecutor : Procfun.Executor {
		[CCode (cname = "procfun_process_executor_submit_async", finish_name = "procfun_process_executor_submit_finish")]
		public async bool submit (Procfun.Call call, GLib.Cancellable? cancellable = null) throws GLib.Error;
		[CCode (cname = "procfun_process_executor_try_submit")]
		public bool try_submit (Procfun.Call call, GLib.Cancellable? cancellable, [CCode (scope = "async")] owned GLib.AsyncReadyCallback? callback) throws GLib.Error;
	}
	public sealed class Registry : GLib.Object, GLib.ListModel {
		public unowned Procfun.Function register (string name, [CCode (array_length = false, array_null_terminated = true, type = "const char* const*")] string[]? arg_names, GLib.VariantType args_type, GLib.VariantType return_type, owned Procfun.Handler handler) throws GLib.Error;
		public unowned Procfun.Function register_generator (string name, [CCode (array_length = false, array_null_terminated = true, type = "const char* const*")] string[]? arg_names, GLib.VariantType args_type, GLib.VariantType item_type, owned Procfun.Handler handler) throws GLib.Error;
	}
}
