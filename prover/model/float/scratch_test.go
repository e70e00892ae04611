package float
import ("testing";"os";"encoding/json";"time";"context";"math";"github.com/weisyn/wes/prover/model/onnx")
func TestScratch(t *testing.T){
 for _,name:=range []string{"resnet20_cifar","mobilenet_v2_224","bert_tiny","gpt2_small","iris_rf","breast_cancer_logreg"}{
  b,_:=os.ReadFile("/work/shared/models/"+name+".onnx")
  t0:=time.Now()
  m,err:=onnx.Parse(b,onnx.Limits{}); if err!=nil{t.Error(name,err);continue}
  t1:=time.Now()
  g,err:=Import(m,Options{}); t.Log(name,"parse",t1.Sub(t0),"import",time.Since(t1))
  if err!=nil{t.Log(name,err);continue}
  var body struct{ Inputs []jsonTensor }
  var want struct{ Output jsonTensor }
  x,_:=os.ReadFile("/work/shared/models/"+name+".input.json"); json.Unmarshal(x,&body)
  x,_=os.ReadFile("/work/shared/models/"+name+".expected.json"); json.Unmarshal(x,&want)
  t2:=time.Now()
  out,err:=Outputs(context.Background(),g,[]Tensor{Tensor(body.Inputs[0])}); if err!=nil{t.Fatal(err)}
  w:=0.0; for i,v:=range out[0].Data{w=max(w,math.Abs(float64(v-want.Output.Data[i])))}
  t.Log(name,"eval",time.Since(t2),"MACs",g.MACs(),"params",g.Params(),"diff",w,len(g.Nodes))
 }
 // resnet18-like conv
 for _,s:=range [][4]int{{64,64,56,3},{128,128,28,3},{256,256,14,3},{512,512,7,3},{3,64,112,7}}{
  c:=&Conv{In:s[0],Out:s[1],Group:1,W:make([]float32,s[0]*s[1]*s[3]*s[3]),B:make([]float32,s[1])}
  c.Window=Window{[]int{s[3],s[3]},[]int{1,1},[]int{1,1},[]int{s[3]/2,s[3]/2},[]int{s[3]/2,s[3]/2}}
  in:=NewTensor([]int{1,s[0],s[2],s[2]}); sh,_:=c.InferShape([][]int{in.Shape}); out:=NewTensor(sh)
  t0:=time.Now(); c.eval([]Tensor{in},out); d:=time.Since(t0)
  t.Log(s,d,float64(c.MACs(sh))/d.Seconds()/1e9,"GMAC/s")
 }
 mm:=&MatMul{K:4096,N:4096,W:make([]float32,1<<24),B:make([]float32,4096)}
 in:=NewTensor([]int{1,4096}); out:=NewTensor([]int{1,4096}); t0:=time.Now(); mm.eval([]Tensor{in},out); t.Log("fc",time.Since(t0))
}
